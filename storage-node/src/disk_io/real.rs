//! A directory on a real filesystem.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, FlockOperation};
use rustix::io::{Errno, ReadWriteFlags};

use super::directory::{DiskIo, Space};
use super::disk_file::DiskFile;
use super::latency::{Latency, Operation, Timed};
use super::medium::{Medium, RealMedium};

const VOLUMES: &str = "volumes";
const INDEX: &str = "index.redb";
const SPARE: &str = "spare";
const LOCK: &str = "lock";
/// Bytes of a block in `st_blocks`. Source: stat(2).
const STAT_BLOCK_BYTES: u64 = 512;
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

    /// As [`RealDisk::new`], with its operations timed.
    pub fn timed(root: &Path, latency: Arc<Latency>) -> Self {
        Self { latency: Some(latency), ..Self::new(root) }
    }

    /// As [`RealDisk::new`], with files opened for reading only.
    pub fn read_only(root: &Path) -> Self {
        Self { read_only: true, ..Self::new(root) }
    }

    /// Locks the disk against processes that would change it, until the value is dropped. `WouldBlock` if one has locked
    /// it; `None` if there is no lock file, which means that no process uses the disk.
    pub fn lock_for_reading(&self) -> io::Result<Option<File>> {
        let file = match File::open(self.root.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared)?;
        Ok(Some(file))
    }

    fn real_file(&self, file: File) -> RealFile {
        RealFile { file, latency: self.latency.clone() }
    }

    fn volume(&self, name: &str) -> PathBuf {
        self.root.join(VOLUMES).join(name)
    }
}

/// Removes a file that may be missing.
fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
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
        let file = self.real_file(file);
        file.write_at(&[header], 0)?;
        file.file.sync_all()?;
        Ok(Arc::new(file))
    }

    fn sync_volumes(&self) -> io::Result<()> {
        sync_directory(&self.root.join(VOLUMES))
    }

    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = File::options().read(true).write(!self.read_only).open(self.volume(name))?;
        Ok(Arc::new(self.real_file(file)))
    }

    fn open_medium(&self, name: &str) -> io::Result<Box<dyn Medium>> {
        Ok(Box::new(RealMedium::open(&self.volume(name), self.latency.clone())?))
    }

    fn remove_volume(&self, name: &str) -> io::Result<()> {
        remove(&self.volume(name))
    }

    fn make_spare(&self, bytes: u64) -> io::Result<()> {
        let there = self.spare_bytes();
        if there >= bytes {
            return Ok(());
        }
        let path = self.root.join(SPARE);
        let file = self.real_file(File::options().create(true).truncate(false).read(true).write(true).open(&path)?);
        let made = file.allocate(0, bytes).and_then(|()| file.file.sync_all());
        if made.is_err() {
            // The smaller one from before is worth keeping.
            if there == 0 { remove(&path)? } else { file.file.set_len(there)? }
        }
        sync_directory(&self.root)?;
        made
    }

    fn spare_bytes(&self) -> u64 {
        std::fs::metadata(self.root.join(SPARE)).map_or(0, |file| file.len())
    }

    fn create_volume_of_spare(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let file = File::options().read(true).write(true).open(self.root.join(SPARE))?;
        let file = self.real_file(file);
        file.write_at(&[header], 0)?;
        file.file.sync_all()?;
        std::fs::rename(self.root.join(SPARE), self.volume(name))?;
        sync_directory(&self.root)?;
        Ok(Arc::new(file))
    }

    fn open_index(&self) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.root.join(INDEX);
        let file = File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        Ok(Arc::new(self.real_file(file)))
    }

    fn remove_index(&self) -> io::Result<()> {
        remove(&self.root.join(INDEX))
    }

    fn other_bytes(&self) -> io::Result<u64> {
        let mut bytes = 0;
        for folder in [self.root.clone(), self.root.join(VOLUMES)] {
            bytes += std::fs::metadata(&folder)?.blocks() * STAT_BLOCK_BYTES;
        }
        for entry in std::fs::read_dir(&self.root)? {
            match entry?.metadata() {
                Ok(file) if file.is_file() => bytes += file.blocks() * STAT_BLOCK_BYTES,
                Ok(_) => {}
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(bytes)
    }

    fn space(&self) -> io::Result<Space> {
        let stat = rustix::fs::statvfs(&self.root)?;
        let device = std::fs::metadata(&self.root)?.dev();
        Ok(Space {
            total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
            available_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
            // Filesystems that make inodes on demand report zero of zero.
            available_files: (stat.f_files > 0).then_some(stat.f_favail),
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
            // The buffer may have more room than was asked for.
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
        // Never repeated, not even after an interruption: a second sync may succeed without what the first one lost (I2).
        Ok(rustix::fs::fdatasync(&self.file)?)
    }

    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()> {
        let _timed = self.time(Operation::Write);
        match rustix::fs::fallocate(&self.file, FallocateFlags::empty(), offset, bytes) {
            // On a filesystem that cannot reserve, only a write shows whether there is space.
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

    fn drop_cached(&self) {
        // Only advice: if it is ignored, the next read may show the page cache.
        let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn allocated_bytes(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.blocks() * STAT_BLOCK_BYTES)
    }
}
