//! An open file of a disk.

use std::io;

/// An open volume file, or the index.
pub trait DiskFile: Send + Sync + 'static {
    /// Writes all parts, one after the other, from `offset` on.
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()>;

    /// Reads up to `bytes` from `offset` on; fewer only at the end of the file.
    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Vec<u8>>;

    /// As [`DiskFile::read_at`], but `None` if the disk would have to be read.
    fn read_cached(&self, bytes: usize, offset: u64) -> Option<Vec<u8>>;

    /// Brings everything that was written to stable storage.
    fn sync(&self) -> io::Result<()>;

    /// Reserves blocks for a range, which reads as zeros until it is written.
    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Frees the blocks of a range, which reads as zeros from then on.
    fn punch(&self, offset: u64, bytes: u64) -> io::Result<()>;

    /// Drops the file from the page cache, so that the next read shows what the disk has. What was never synced stays.
    fn drop_cached(&self);

    /// Cuts the file, or extends it with zeros: only for the index, volumes are never cut (I4).
    fn set_length(&self, bytes: u64) -> io::Result<()>;

    /// Bytes of the file.
    fn length(&self) -> io::Result<u64>;

    /// Bytes that the file occupies, as the filesystem counts them.
    fn allocated_bytes(&self) -> io::Result<u64>;
}
