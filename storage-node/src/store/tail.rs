//! The volume at the end of the log, and the blocks that are allocated past its last record.
//!
//! A shard is only taken when after it there are still blocks for deletions, which are allocated already and which
//! nobody else can take: a disk that is full to the last byte can be emptied (I21). If the volume itself has to be
//! replaced then, a file that was set aside becomes the next one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::fault::classify;
use super::options::ALLOCATE_BYTES_MAX;
use super::shared::{ActiveVolume, Shared};
use super::volume_files::volume_name;
use crate::disk_io::DiskFile;
use crate::format::{BlockKind, IdentityBlock, VOLUME_DATA_START};

/// What space is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A new shard: leaves the reserve alone.
    Shard,
    /// A record that moves to free the space where it was: may use half of the reserve for that while.
    Move,
    /// Deletions: may use everything there is.
    Tombstone,
}

/// The end of the log.
pub(super) struct Tail {
    shared: Arc<Shared>,
    volume: Option<Arc<ActiveVolume>>,
    next_volume: u32,
    /// Up to where the volume's blocks are allocated.
    allocated_end: u64,
    /// Whether the last allocation got no more than what was needed.
    is_short: bool,
    /// Bytes that were free when they were looked at for the group that is being gathered; an allocation forgets them.
    /// Looking costs two system calls, which is much for a small shard.
    free_bytes: Option<u64>,
}

impl Tail {
    pub(super) fn new(shared: Arc<Shared>, next_volume: u32) -> Self {
        Self { shared, volume: None, next_volume, allocated_end: 0, is_short: false, free_bytes: None }
    }

    /// The volume at the end, if there is one.
    pub(super) fn volume(&self) -> Option<&Arc<ActiveVolume>> {
        self.volume.as_ref()
    }

    /// The volume at the end with blocks for a record of `bytes`; nothing if a new one has to be begun.
    pub(super) fn extend(&mut self, bytes: u64, need: Need) -> Result<Option<Arc<ActiveVolume>>, StorageError> {
        if let Some(why) = self.shared.suspicion() {
            return Err(self.shared.error(StorageErrorKind::Failed, why));
        }
        let tail = self.shared.state().tail.offset;
        let room = self.room(need);
        let allocated = if self.volume.is_some() { self.allocated_end } else { VOLUME_DATA_START };
        self.admit(need, (tail + bytes + room).saturating_sub(allocated))?;
        let fits = tail + bytes <= self.shared.options.volume_bytes || tail == VOLUME_DATA_START;
        let Some(volume) = self.volume.clone().filter(|volume| fits && !volume.is_poisoned()) else { return Ok(None) };
        match self.allocate(&volume, tail + bytes + room) {
            Ok(()) => Ok(Some(volume)),
            // A new volume may be had of the file that was set aside.
            Err(error) if error.kind == StorageErrorKind::Full && need == Need::Tombstone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Seals the volume at the end and begins a new one with blocks for a record of `bytes`. Everything before must be
    /// written.
    pub(super) fn begin(&mut self, bytes: u64, need: Need) -> Result<Arc<ActiveVolume>, StorageError> {
        self.admit(need, bytes + self.room(need))?;
        let error = match self.begin_new(bytes + self.room(need)) {
            Err(error) if error.kind == StorageErrorKind::Full && need == Need::Tombstone => error,
            result => return result,
        };
        // A volume that is as long as it should be may have allocated blocks past that.
        let tail = self.shared.state().tail.offset;
        if let Some(volume) = self.volume.as_ref().filter(|volume| !volume.is_poisoned())
            && tail + bytes <= self.allocated_end
        {
            return Ok(Arc::clone(volume));
        }
        let spare = self.shared.io.spare_bytes();
        if spare < VOLUME_DATA_START + bytes {
            return Err(error);
        }
        let number = self.next_volume;
        self.shared.spare_is_missing.store(true, Ordering::Relaxed);
        let file = self.shared.io.create_volume_of_spare(&volume_name(number), &self.header(number));
        let file = file.map_err(|error| self.shared.suspect("making a volume of the spare file", &error))?;
        tracing::warn!(disk = %self.shared.identity.disk, "the disk is full: the spare file takes deletions");
        Ok(self.adopt(number, file, spare))
    }

    /// Gives back the blocks that no record will use.
    pub(super) fn release(&mut self) {
        if let Some(volume) = &self.volume {
            let mut state = self.shared.state();
            let tail = state.tail.offset.next_multiple_of(4096);
            state.release(volume.number, tail..self.allocated_end.max(tail));
            drop(state);
            let _ = self.shared.upkeep.push(());
        }
    }

    fn room(&self, need: Need) -> u64 {
        if need == Need::Tombstone { 0 } else { self.shared.options.tombstone_room_bytes }
    }

    /// Whether `bytes` more may be taken from the filesystem.
    fn admit(&mut self, need: Need, bytes: u64) -> Result<(), StorageError> {
        let reserve = match need {
            Need::Shard => self.shared.options.reserve_bytes,
            Need::Move => self.shared.options.reserve_bytes / 2,
            Need::Tombstone => return Ok(()),
        };
        let free = self.free_bytes()?;
        if free >= reserve + bytes {
            return Ok(());
        }
        if need == Need::Shard {
            self.shared.below_reserve.store(true, Ordering::Relaxed);
        }
        let detail = format!("{free} bytes are free, {bytes} more would cut into the reserve of {reserve} bytes");
        Err(self.shared.error(StorageErrorKind::Full, detail))
    }

    fn free_bytes(&mut self) -> Result<u64, StorageError> {
        if let Some(free) = self.free_bytes {
            return Ok(free);
        }
        let space = self.shared.io.space().map_err(|e| self.shared.io_error("looking at the free space", &e))?;
        self.free_bytes = Some(space.available_bytes);
        Ok(space.available_bytes)
    }

    /// The group has been gathered: free space is looked at anew for the next.
    pub(super) fn end_group(&mut self) {
        self.free_bytes = None;
    }

    /// Says once that blocks get scarce, not for every record.
    fn say_short(&self, error: &std::io::Error) {
        if !self.is_short {
            let disk = self.shared.identity.disk;
            tracing::warn!(%disk, %error, "no blocks ahead of need: the disk {} is nearly full", self.shared.path);
        }
    }

    /// Allocates blocks up to `end`, and more where there is plenty.
    fn allocate(&mut self, volume: &ActiveVolume, end: u64) -> Result<(), StorageError> {
        if end <= self.allocated_end {
            return Ok(());
        }
        self.free_bytes = None;
        let from = self.allocated_end;
        let ahead = end + self.step();
        let result = match volume.file.allocate(from, ahead - from) {
            Err(error) if classify(&error) == StorageErrorKind::Full && ahead > end => {
                self.say_short(&error);
                volume.file.allocate(from, end - from).map(|()| end)
            }
            result => result.map(|()| ahead),
        };
        self.is_short = matches!(&result, Ok(allocated) if *allocated < ahead);
        self.allocated_end = result.map_err(|e| self.shared.write_error(volume, "reserving space", &e))?;
        Ok(())
    }

    /// How much is allocated at a time, so that a small shard costs no allocation of its own.
    fn step(&self) -> u64 {
        let step = (self.shared.options.volume_bytes / 64).min(ALLOCATE_BYTES_MAX);
        let space = self.shared.io.space().map_or(0, |space| space.available_bytes);
        if space > self.shared.options.reserve_bytes + 4 * step { step } else { 0 }
    }

    fn header(&self, number: u32) -> Vec<u8> {
        let block = IdentityBlock { identity: self.shared.identity, created_ms: self.shared.clock.now_ms() };
        block.encode(BlockKind::Volume(number)).to_vec()
    }

    fn begin_new(&mut self, bytes: u64) -> Result<Arc<ActiveVolume>, StorageError> {
        self.free_bytes = None;
        let number = self.next_volume;
        let (name, io) = (volume_name(number), Arc::clone(&self.shared.io));
        let end = VOLUME_DATA_START + bytes + self.step();
        let made = io.create_volume(&name, &self.header(number));
        let made = made.and_then(|file| {
            file.allocate(0, end)?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(self.adopt(number, file, end)),
            Err(error) => {
                // An empty file would only puzzle the next start. Where it cannot be removed it keeps its name.
                if io.remove_volume(&name).is_err() {
                    self.next_volume += 1;
                }
                Err(self.shared.suspect("making a new volume", &error))
            }
        }
    }

    fn adopt(&mut self, number: u32, file: Arc<dyn DiskFile>, allocated_end: u64) -> Arc<ActiveVolume> {
        self.release();
        self.next_volume = number + 1;
        self.allocated_end = allocated_end;
        self.shared.files.add(number, Arc::clone(&file));
        self.shared.state().begin_volume(number);
        let key = self.shared.identity.volume_key(number);
        let volume = Arc::new(ActiveVolume { number, file, key, poisoned: false.into() });
        self.volume = Some(Arc::clone(&volume));
        volume
    }
}
