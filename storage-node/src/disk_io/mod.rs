//! The narrow waist between the store and the filesystem. Everything that touches a disk goes through here, so that
//! tests can record it, drop what was not synced, and fail any single operation.

mod latency;
mod medium;
mod real;
#[cfg(test)]
pub(crate) mod simulated;

use std::io;
use std::sync::Arc;

pub use latency::{Latency, Operation, Timed};
pub use medium::Medium;
pub use real::RealDisk;

/// Space on the filesystem under a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes of the filesystem.
    pub total_bytes: u64,
    /// Bytes that can still be written.
    pub available_bytes: u64,
    /// Files that can still be made; nothing where the filesystem has no such limit.
    pub available_files: Option<u64>,
    /// Tells filesystems apart.
    pub device: u64,
}

/// One disk's directory. Names are relative to it.
pub trait DiskIo: Send + Sync + 'static {
    /// Makes sure that the directory and its folder of volumes exist, durably.
    fn create_folders(&self) -> io::Result<()>;

    /// Keeps other processes away until the value is dropped. `WouldBlock` if one is there already.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// A whole small file.
    fn read_file(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Replaces a small file atomically and durably.
    fn replace_file(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// The names in the folder of volumes.
    fn list_volumes(&self) -> io::Result<Vec<String>>;

    /// Makes a new volume file that contains `header`, durably; fails if the name is taken.
    fn create_volume(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a volume file.
    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a volume file for reading past the page cache.
    fn open_medium(&self, name: &str) -> io::Result<Box<dyn Medium>> {
        Ok(Box::new(medium::Uncached(self.open_volume(name)?)))
    }

    /// Removes a volume file, durably. One that is not there is no error.
    fn remove_volume(&self, name: &str) -> io::Result<()>;

    /// Sets a file with `bytes` of blocks aside, durably, from which a volume can be made when nothing is free any more.
    /// One that is there already and is as large is left alone.
    fn make_spare(&self, bytes: u64) -> io::Result<()>;

    /// Bytes of the file that was set aside; zero if there is none.
    fn spare_bytes(&self) -> u64;

    /// As [`DiskIo::create_volume`], of the file that was set aside: needs neither blocks nor a new file.
    fn create_volume_of_spare(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens or creates the index, which is only a cache.
    fn open_index(&self) -> io::Result<Arc<dyn DiskFile>>;

    /// Removes the index.
    fn remove_index(&self) -> io::Result<()>;

    /// Bytes that everything but the volumes occupies, as the filesystem counts them.
    fn other_bytes(&self) -> io::Result<u64>;

    /// Space on the filesystem.
    fn space(&self) -> io::Result<Space>;
}

/// An open volume file.
pub trait DiskFile: Send + Sync + 'static {
    /// Writes all parts, one after the other, from `offset` on.
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()>;

    /// Reads up to `bytes` from `offset` on; fewer only at the end of the file.
    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Vec<u8>>;

    /// As [`DiskFile::read_at`], if no disk access is needed; else nothing.
    fn read_cached(&self, bytes: usize, offset: u64) -> Option<Vec<u8>>;

    /// Brings everything that was written to stable storage.
    fn sync(&self) -> io::Result<()>;

    /// Reserves blocks for a range, which reads as zeros until it is written.
    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Gives the blocks of a range back; it reads as zeros from then on.
    fn punch(&self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Forgets what the page cache holds of the file, so that the next read shows what the disk has. What was never
    /// synced stays.
    fn drop_cached(&self);

    /// Cuts the file, or lets it grow with zeros: for the index alone, volumes are never cut (I4).
    fn set_length(&self, bytes: u64) -> io::Result<()>;

    /// Bytes from the beginning to the end.
    fn length(&self) -> io::Result<u64>;

    /// Bytes that the file occupies, as the filesystem counts them.
    fn allocated_bytes(&self) -> io::Result<u64>;
}
