//! The volume that takes records.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::disk::Disk;
use super::fault::classify;
use crate::disk_io::DiskFile;
use crate::format::VolumeKey;

/// A volume that takes records, until the first write or sync fails.
pub(crate) struct ActiveVolume {
    disk: Arc<Disk>,
    pub(crate) number: u32,
    pub(crate) key: VolumeKey,
    file: Arc<dyn DiskFile>,
    /// Set by the first failed write or sync, for good (I2).
    poisoned: AtomicBool,
}

impl ActiveVolume {
    pub(crate) fn new(disk: Arc<Disk>, number: u32, file: Arc<dyn DiskFile>) -> Self {
        let key = disk.identity.volume_key(number);
        Self { disk, number, key, file, poisoned: AtomicBool::new(false) }
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), StorageError> {
        if self.is_poisoned() {
            return Err(self.disk.error(StorageErrorKind::Failed, "the volume has failed before"));
        }
        Ok(())
    }

    /// Writes the parts one after the other, from `offset` bytes on.
    pub(crate) fn write(&self, parts: &[&[u8]], offset: u64) -> Result<(), StorageError> {
        self.check()?;
        self.file.write_at(parts, offset).map_err(|error| self.write_error("a write", &error))
    }

    /// Brings everything that was written to stable storage. A volume that failed is not synced again: a second sync may
    /// succeed without the lost bytes (I2).
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.check()?;
        let _under_way = self.disk.syncing();
        self.file.sync().map_err(|error| self.poison("a sync", &error))
    }

    /// Reserves blocks for `bytes` from `offset` on.
    pub(crate) fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()> {
        self.file.allocate(offset, bytes)
    }

    /// A write failed. If the disk was only full or the process short of resources, this write alone is lost and its
    /// region is not used again; otherwise the volume is finished.
    pub(crate) fn write_error(&self, what: &str, error: &io::Error) -> StorageError {
        match classify(error) {
            StorageErrorKind::Failed => self.poison(what, error),
            _ => self.disk.io_error(what, error),
        }
    }

    /// A write or a sync failed: the volume is finished, and the disk is suspect if it is to blame (I2).
    fn poison(&self, what: &str, error: &io::Error) -> StorageError {
        self.poisoned.store(true, Ordering::SeqCst);
        self.disk.suspect(what, error)
    }
}
