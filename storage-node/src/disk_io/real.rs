//! A directory on a real filesystem.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, FlockOperation};
use rustix::io::{Errno, ReadWriteFlags};

use super::latency::{Latency, Operation, Timed};
use super::medium::{Medium, RealMedium};
use super::{DiskFile, DiskIo, Space};

const VOLUMES: &str = "volumes";
const INDEX: &str = "index.redb";
const LOCK: &str = "lock";
/// Slices per `pwritev`. Source: `IOV_MAX` in Linux's `limits.h`.
const SLICES_MAX: usize = 1024;

/// A disk directory.
#[derive(Debug, Clone)]
pub struct RealDisk {
    root: PathBuf,
    read_only: bool,
    latency: Option<Arc<Latency>>,
}

impl RealDisk {
    /// The disk whose directory is `root`.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), read_only: false, latency: None }
    }

    /// The same, and notes how long its operations take.
    pub fn timed(root: &Path, latency: Arc<Latency>) -> Self {
        Self { latency: Some(latency), ..Self::new(root) }
    }

    /// The same for those who only look: its files are opened for reading.
    pub fn read_only(root: &Path) -> Self {
        Self { read_only: true, ..Self::new(root) }
    }

    /// Keeps those away who would change the disk, until the value is dropped. `WouldBlock` if one is there already.
    /// Nothing where there is no lock file, and therefore nobody.
    pub fn lock_for_reading(&self) -> io::Result<Option<File>> {
        let file = match File::open(self.root.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared)?;
        Ok(Some(file))
    }

    fn volume(&self, name: &str) -> PathBuf {
        self.root.join(VOLUMES).join(name)
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

impl DiskIo for RealDisk {
    fn create_folders(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.root.join(VOLUMES))?;
        sync_directory(&self.root)?;
        self.root.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), sync_directory)
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let file = File::options().create(true).truncate(false).write(true).open(self.root.join(LOCK))?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(file))
    }

    fn read_file(&self, name: &str) -> io::Result<Vec<u8>> {
        std::fs::read(self.root.join(name))
    }

    fn replace_file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        crate::durable_file::replace(&self.root.join(name), content)
    }

    fn list_volumes(&self) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(self.root.join(VOLUMES))?;
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn create_volume(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let file = File::options().create_new(true).read(true).write(true).open(self.volume(name))?;
        let file = RealFile { file, latency: self.latency.clone() };
        file.write_at(&[header], 0)?;
        file.file.sync_all()?;
        sync_directory(&self.root.join(VOLUMES))?;
        Ok(Arc::new(file))
    }

    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = File::options().read(true).write(!self.read_only).open(self.volume(name))?;
        Ok(Arc::new(RealFile { file, latency: self.latency.clone() }))
    }

    fn open_medium(&self, name: &str) -> io::Result<Box<dyn Medium>> {
        Ok(Box::new(RealMedium::open(&self.volume(name), self.latency.clone())?))
    }

    fn remove_volume(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.volume(name))?;
        sync_directory(&self.root.join(VOLUMES))
    }

    fn open_index(&self, cache_bytes: usize) -> Result<redb::Database, redb::DatabaseError> {
        redb::Database::builder().set_cache_size(cache_bytes).create(self.root.join(INDEX))
    }

    fn remove_index(&self) -> io::Result<()> {
        match std::fs::remove_file(self.root.join(INDEX)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    fn space(&self) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(&self.root)?;
        let device = std::fs::metadata(&self.root)?.dev();
        Ok(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            available_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            device,
        })
    }
}

struct RealFile {
    file: File,
    latency: Option<Arc<Latency>>,
}

impl RealFile {
    fn time(&self, operation: Operation) -> Option<Timed<'_>> {
        self.latency.as_ref().map(|latency| latency.time(operation))
    }
}

impl DiskFile for RealFile {
    fn write_at(&self, parts: &[&[u8]], mut offset: u64) -> io::Result<()> {
        let _timed = self.time(Operation::Write);
        let mut slices: Vec<IoSlice<'_>> = parts.iter().filter(|p| !p.is_empty()).map(|p| IoSlice::new(p)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            let batch = rest.get(..SLICES_MAX).unwrap_or(rest);
            match rustix::io::pwritev(&self.file, batch, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    offset += written as u64;
                    IoSlice::advance_slices(&mut rest, written);
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Vec<u8>> {
        let _timed = self.time(Operation::Read);
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(bytes).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        while buffer.len() < bytes {
            // The allocator may have given more room than was asked for.
            let at = offset + buffer.len() as u64;
            match rustix::io::pread(&self.file, rustix::buffer::spare_capacity(&mut buffer), at) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        buffer.truncate(bytes);
        Ok(buffer)
    }

    fn read_cached(&self, bytes: usize, offset: u64) -> Option<Vec<u8>> {
        let mut buffer = Vec::new();
        buffer.try_reserve_exact(bytes).ok()?;
        buffer.resize(bytes, 0);
        let mut slices = [IoSliceMut::new(&mut buffer)];
        let read = rustix::io::preadv2(&self.file, &mut slices, offset, ReadWriteFlags::NOWAIT).ok()?;
        (read == bytes).then_some(buffer)
    }

    fn sync(&self) -> io::Result<()> {
        let _timed = self.time(Operation::Write);
        // Never repeated, not even after an interruption: a second sync may report what the first one lost (I2).
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()> {
        let _timed = self.time(Operation::Write);
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, bytes) {
            // A filesystem that cannot reserve finds out about its space when it writes.
            Err(Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    fn punch(&self, offset: u64, bytes: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match rustix::fs::fallocate(&self.file, flags, offset, bytes) {
            Err(Errno::OPNOTSUPP) => Ok(()),
            result => Ok(result?),
        }
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn allocated_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.blocks() * 512)
    }
}
