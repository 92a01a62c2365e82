//! Reading what the medium has, past the page cache, to verify it. A good page in memory says nothing about the sectors
//! below it, and reading a whole disk through the cache would evict what clients read.

use std::fs::File;
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::{Advice, OFlags};
use rustix::io::Errno;

use super::disk_file::DiskFile;
use super::latency::{Latency, Operation};

/// A volume file as the medium holds it.
pub trait Medium: Send {
    /// Reads up to `bytes` from `offset` on; fewer only at the end of the file.
    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Bytes>;
}

/// For disks that have no page cache.
pub(super) struct Uncached(pub(super) Arc<dyn DiskFile>);

impl Medium for Uncached {
    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Bytes> {
        self.0.read_at(bytes, offset).map(Bytes::from)
    }
}

/// Offsets, lengths and addresses of direct reads are multiples of this: the largest sector in use.
const ALIGN_BYTES: usize = 4096;

/// A file that is read with `O_DIRECT`; on a filesystem without it, the file's pages are dropped before and after.
pub(super) struct RealMedium {
    file: File,
    direct: bool,
    latency: Option<Arc<Latency>>,
}

impl RealMedium {
    pub(super) fn open(path: &Path, latency: Option<Arc<Latency>>) -> io::Result<Self> {
        let flags = OFlags::DIRECT.bits() as i32;
        let direct = File::options().read(true).custom_flags(flags).open(path);
        let direct = direct.map(|file| Self { file, direct: true, latency: latency.clone() });
        match direct.and_then(|medium| medium.read_at(1, 0).map(|_| medium)) {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::INVAL) => {
                Ok(Self { file: File::open(path)?, direct: false, latency })
            }
            result => result,
        }
    }

    fn drop_pages(&self, bytes: usize, offset: u64) {
        // Only advice: if it is ignored, the read goes through the cache, which is still a read.
        let _ = rustix::fs::fadvise(&self.file, offset, NonZeroU64::new(bytes as u64), Advice::DontNeed);
    }
}

impl Medium for RealMedium {
    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Bytes> {
        let _timed = self.latency.as_ref().map(|latency| latency.time(Operation::MediumRead));
        let skip = (offset % ALIGN_BYTES as u64) as usize;
        let (from, wanted) = (offset - skip as u64, (skip + bytes).next_multiple_of(ALIGN_BYTES));
        let mut buffer = Vec::new();
        let room = wanted + ALIGN_BYTES;
        buffer.try_reserve_exact(room).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        buffer.resize(room, 0);
        let start = buffer.as_ptr().align_offset(ALIGN_BYTES).min(ALIGN_BYTES);
        if !self.direct {
            self.drop_pages(wanted, from);
        }
        let mut read = 0;
        while read < wanted {
            let Some(rest) = buffer.get_mut(start + read..start + wanted) else { break };
            match rustix::io::pread(&self.file, rest, from + read as u64) {
                Ok(0) => break,
                Ok(some) => read += some,
                Err(Errno::INTR) => {}
                // The end of the file need not be aligned, and nothing comes after it.
                Err(Errno::INVAL) if read > 0 && !read.is_multiple_of(ALIGN_BYTES) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if !self.direct {
            self.drop_pages(wanted, from);
        }
        let end = (skip + bytes).min(read);
        Ok(Bytes::from(buffer).slice(start + skip.min(end)..start + end))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn a_piece_at_any_offset_is_read_as_it_was_written() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let content: Vec<u8> = (0..20_001u32).map(|n| ((n * 7) >> 3) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        for direct in [true, false] {
            let medium = match RealMedium::open(&path, None).unwrap() {
                medium if direct => medium,
                _ => RealMedium { file: File::open(&path).unwrap(), direct, latency: None },
            };
            for (offset, bytes) in [(0, 1), (0, 4096), (1, 4096), (4095, 2), (512, 9000), (19_000, 5000), (30_000, 10)]
            {
                let end = content.len().min(offset + bytes);
                let expected = content.get(offset..end).unwrap_or_default();
                assert_eq!(medium.read_at(bytes, offset as u64).unwrap(), expected, "{bytes} at {offset}");
            }
            // What was written is read, synced or not.
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"new", 5000).unwrap();
            assert_eq!(medium.read_at(3, 5000).unwrap(), b"new"[..]);
            file.write_all_at(&content[5000..5003], 5000).unwrap();
        }
    }
}
