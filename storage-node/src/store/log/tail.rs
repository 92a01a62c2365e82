//! The volume at the end of the log, and the blocks that are allocated past its last record.
//!
//! A shard is admitted only if blocks for deletions remain after it. They are allocated already, so nobody else can take
//! them: a disk that is full to the last byte can be emptied (I21). If such a disk needs a new volume, the spare file
//! becomes one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use cairn_protocol::storage::{StorageError, StorageErrorKind};

use crate::disk_io::DiskFile;
use crate::format::{BlockKind, IdentityBlock, VOLUME_DATA_START};
use crate::store::active_volume::ActiveVolume;
use crate::store::disk::Disk;
use crate::store::fault::classify;
use crate::store::index::Index;
use crate::store::options::ALLOCATE_BYTES_MAX;
use crate::store::volume_files::volume_name;

/// What space is wanted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A new shard: the reserve stays free.
    Shard,
    /// A record that moves, which frees the space where it was: may use half of the reserve meanwhile.
    Move,
    /// Deletions: may use everything.
    Tombstone,
}

/// The end of the log.
pub(crate) struct Tail {
    disk: Arc<Disk>,
    index: Arc<Index>,
    volume: Option<Arc<ActiveVolume>>,
    next_volume: u32,
    /// Where the volume's allocated blocks end.
    allocated_end: u64,
    /// Whether the last allocation got no more than what was needed.
    is_short: bool,
    /// Free bytes on the filesystem, as of the group that is being gathered or the last allocation. To ask costs two system
    /// calls, which is much for a small shard.
    free_bytes: Option<u64>,
}

impl Tail {
    pub(crate) fn new(disk: Arc<Disk>, index: Arc<Index>, next_volume: u32) -> Self {
        Self { disk, index, volume: None, next_volume, allocated_end: 0, is_short: false, free_bytes: None }
    }

    pub(crate) fn volume(&self) -> Option<&Arc<ActiveVolume>> {
        self.volume.as_ref()
    }

    /// The volume at the end, with blocks for a record of `bytes`; `None` if a new one has to be begun.
    pub(crate) fn extend(&mut self, bytes: u64, need: Need) -> Result<Option<Arc<ActiveVolume>>, StorageError> {
        if let Some(why) = self.disk.suspicion() {
            return Err(self.disk.error(StorageErrorKind::Failed, why));
        }
        let tail = self.index.state().tail.offset;
        let room = self.room(need);
        let allocated = if self.volume.is_some() { self.allocated_end } else { VOLUME_DATA_START };
        self.admit(need, (tail + bytes + room).saturating_sub(allocated))?;
        let fits = tail + bytes <= self.disk.options.volume_bytes || tail == VOLUME_DATA_START;
        let Some(volume) = self.volume.clone().filter(|volume| fits && !volume.is_poisoned()) else { return Ok(None) };
        match self.allocate(&volume, tail + bytes + room) {
            Ok(()) => Ok(Some(volume)),
            // The spare file may become a new volume.
            Err(error) if error.kind == StorageErrorKind::Full && need == Need::Tombstone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Seals the volume at the end and begins a new one with blocks for a record of `bytes`. All records gathered so far
    /// must be written.
    pub(crate) fn begin(&mut self, bytes: u64, need: Need) -> Result<Arc<ActiveVolume>, StorageError> {
        self.admit(need, bytes + self.room(need))?;
        let error = match self.begin_new(bytes + self.room(need)) {
            Err(error) if error.kind == StorageErrorKind::Full && need == Need::Tombstone => error,
            result => return result,
        };
        // A volume of its full length may have allocated blocks past that.
        let tail = self.index.state().tail.offset;
        if let Some(volume) = self.volume.as_ref().filter(|volume| !volume.is_poisoned())
            && tail + bytes <= self.allocated_end
        {
            return Ok(Arc::clone(volume));
        }
        let spare = self.disk.io.spare_bytes();
        if spare < VOLUME_DATA_START + bytes {
            return Err(error);
        }
        let number = self.next_volume;
        // The name may be taken although the rest failed.
        self.next_volume += 1;
        self.disk.health.has_spare.store(false, Ordering::Relaxed);
        let file = self.disk.io.create_volume_of_spare(&volume_name(number), &self.header(number));
        let file = file.and_then(|file| self.disk.io.sync_volumes().map(|()| file));
        let file = file.map_err(|error| self.disk.suspect("making a volume of the spare file", &error))?;
        tracing::warn!(disk = %self.disk.identity.disk, "the disk is full: deletions go to the spare file");
        Ok(self.adopt(number, file, spare))
    }

    /// Frees the blocks that no record will use.
    pub(crate) fn release(&mut self) {
        if let Some(volume) = &self.volume {
            let mut state = self.index.state();
            let tail = state.tail.offset.next_multiple_of(4096);
            state.release(volume.number, tail..self.allocated_end.max(tail));
            drop(state);
            self.index.wake_upkeep();
        }
    }

    fn room(&self, need: Need) -> u64 {
        if need == Need::Tombstone { 0 } else { self.disk.options.tombstone_room_bytes }
    }

    /// Whether `bytes` more may be taken from the filesystem.
    fn admit(&mut self, need: Need, bytes: u64) -> Result<(), StorageError> {
        let reserve = match need {
            Need::Shard => self.disk.options.reserve_bytes,
            Need::Move => self.disk.options.reserve_bytes / 2,
            Need::Tombstone => return Ok(()),
        };
        let free = self.free_bytes()?;
        if free >= reserve + bytes {
            return Ok(());
        }
        if need == Need::Shard {
            self.disk.health.below_reserve.store(true, Ordering::Relaxed);
        }
        let detail = format!("{free} bytes are free, {bytes} more would cut into the reserve of {reserve} bytes");
        Err(self.disk.error(StorageErrorKind::Full, detail))
    }

    fn free_bytes(&mut self) -> Result<u64, StorageError> {
        if let Some(free) = self.free_bytes {
            return Ok(free);
        }
        let space = self.disk.io.space().map_err(|e| self.disk.io_error("looking at the free space", &e))?;
        self.free_bytes = Some(space.available_bytes);
        Ok(space.available_bytes)
    }

    /// The group is complete: the next one looks at the free space again.
    pub(crate) fn end_group(&mut self) {
        self.free_bytes = None;
    }

    /// Logs that blocks get scarce: once, not for every record.
    fn warn_short(&self, error: &std::io::Error) {
        if !self.is_short {
            let disk = self.disk.identity.disk;
            tracing::warn!(%disk, %error, "no blocks can be allocated ahead: the disk {} is nearly full", self.disk.path);
        }
    }

    /// Allocates blocks up to `end`, and ahead of it where much is free.
    fn allocate(&mut self, volume: &ActiveVolume, end: u64) -> Result<(), StorageError> {
        if end <= self.allocated_end {
            return Ok(());
        }
        self.free_bytes = None;
        let from = self.allocated_end;
        let ahead = end + self.step();
        let result = match volume.allocate(from, ahead - from) {
            Err(error) if classify(&error) == StorageErrorKind::Full && ahead > end => {
                self.warn_short(&error);
                volume.allocate(from, end - from).map(|()| end)
            }
            result => result.map(|()| ahead),
        };
        self.is_short = matches!(&result, Ok(allocated) if *allocated < ahead);
        self.allocated_end = result.map_err(|e| volume.write_error("reserving space", &e))?;
        Ok(())
    }

    /// Bytes that are allocated ahead, so that a small shard costs no allocation of its own.
    fn step(&self) -> u64 {
        let step = (self.disk.options.volume_bytes / 64).min(ALLOCATE_BYTES_MAX);
        let space = self.disk.io.space().map_or(0, |space| space.available_bytes);
        if space > self.disk.options.reserve_bytes + 4 * step { step } else { 0 }
    }

    fn header(&self, number: u32) -> Vec<u8> {
        let block = IdentityBlock { identity: self.disk.identity, created_ms: self.disk.clock.now_ms() };
        block.encode(BlockKind::Volume(number)).to_vec()
    }

    fn begin_new(&mut self, bytes: u64) -> Result<Arc<ActiveVolume>, StorageError> {
        self.free_bytes = None;
        let number = self.next_volume;
        let (name, io) = (volume_name(number), Arc::clone(&self.disk.io));
        let end = VOLUME_DATA_START + bytes + self.step();
        let made = io.create_volume(&name, &self.header(number));
        let made = made.and_then(|file| {
            file.allocate(0, end)?;
            // Nothing in it is acknowledged before its name is durable.
            io.sync_volumes()?;
            Ok(file)
        });
        match made {
            Ok(file) => Ok(self.adopt(number, file, end)),
            Err(error) => {
                // The next start would find an empty file. If it cannot be removed, its name is not used again.
                if io.remove_volume(&name).and_then(|()| io.sync_volumes()).is_err() {
                    self.next_volume += 1;
                }
                Err(self.disk.suspect("making a new volume", &error))
            }
        }
    }

    fn adopt(&mut self, number: u32, file: Arc<dyn DiskFile>, allocated_end: u64) -> Arc<ActiveVolume> {
        self.release();
        self.next_volume = number + 1;
        self.allocated_end = allocated_end;
        self.disk.files.add(number, Arc::clone(&file));
        self.index.state().begin_volume(number);
        let volume = Arc::new(ActiveVolume::new(Arc::clone(&self.disk), number, file));
        self.volume = Some(Arc::clone(&volume));
        volume
    }
}
