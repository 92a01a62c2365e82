//! One disk's directory.

use std::io;
use std::sync::Arc;

use super::disk_file::DiskFile;
use super::medium::{Medium, Uncached};

/// Space on the filesystem under a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    pub total_bytes: u64,
    /// Bytes that can still be written by this process.
    pub available_bytes: u64,
    /// Files that can still be made; `None` where the filesystem has no such limit.
    pub available_files: Option<u64>,
    /// Different for each filesystem.
    pub device: u64,
}

/// One disk's directory. Names are relative to it.
pub trait DiskIo: Send + Sync + 'static {
    /// Makes sure that the directory and its folder of volumes exist, durably.
    fn create_folders(&self) -> io::Result<()>;

    /// Locks the disk until the value is dropped. `WouldBlock` if another process has locked it.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;

    /// Reads a small file.
    fn read_file(&self, name: &str) -> io::Result<Vec<u8>>;

    /// Replaces a small file atomically and durably.
    fn replace_file(&self, name: &str, content: &[u8]) -> io::Result<()>;

    /// The names in the folder of volumes.
    fn list_volumes(&self) -> io::Result<Vec<String>>;

    /// Makes the names in the folder of volumes durable.
    fn sync_volumes(&self) -> io::Result<()>;

    /// Makes a volume file that contains `header`; fails if the name is taken. What it contains is durable, its name only
    /// after [`DiskIo::sync_volumes`].
    fn create_volume(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>>;

    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens a volume file for reading past the page cache.
    fn open_medium(&self, name: &str) -> io::Result<Box<dyn Medium>> {
        Ok(Box::new(Uncached(self.open_volume(name)?)))
    }

    /// Removes a volume file. A missing one is no error. Durable after [`DiskIo::sync_volumes`].
    fn remove_volume(&self, name: &str) -> io::Result<()>;

    /// Makes the spare file with `bytes` of blocks, durably, which can become a volume when nothing is free any more. One
    /// that exists and is as large is left alone.
    fn make_spare(&self, bytes: u64) -> io::Result<()>;

    /// Bytes of the spare file; zero if there is none.
    fn spare_bytes(&self) -> u64;

    /// As [`DiskIo::create_volume`], but renames the spare file: needs neither blocks nor a new file.
    fn create_volume_of_spare(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>>;

    /// Opens or creates the index, which is only a cache.
    fn open_index(&self) -> io::Result<Arc<dyn DiskFile>>;

    fn remove_index(&self) -> io::Result<()>;

    /// Bytes that everything but the volumes occupies, as the filesystem counts them.
    fn other_bytes(&self) -> io::Result<u64>;

    fn space(&self) -> io::Result<Space>;
}
