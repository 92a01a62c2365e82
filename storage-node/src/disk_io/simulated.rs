//! A disk in memory that forgets what was not synced, fails any single operation, and notices overwritten bytes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::io::Errno;

use super::{DiskFile, DiskIo, Space};

/// Bytes that a disk writes as a whole.
const SECTOR_BYTES: usize = 512;

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk {
    inner: Arc<Mutex<Inner>>,
}

/// An operation that fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Its number, counting writes, syncs, allocations and new files from 1.
    pub(crate) at: u64,
    /// What it fails with.
    pub(crate) errno: Errno,
}

#[derive(Default)]
struct Inner {
    /// The small files beside the volumes.
    files: BTreeMap<String, Vec<u8>>,
    volumes: BTreeMap<String, Volume>,
    index: Arc<Mutex<Index>>,
    /// Counts the crashes: files that were opened before one are dead.
    generation: u64,
    operations: u64,
    fault: Option<Fault>,
    available_bytes: Option<u64>,
    cached: bool,
}

#[derive(Default)]
struct Volume {
    durable: Vec<u8>,
    current: Vec<u8>,
    pending: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Default)]
struct Index {
    durable: Vec<u8>,
    current: Vec<u8>,
}

fn lay(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if target.len() < offset + bytes.len() {
        target.resize(offset + bytes.len(), 0);
    }
    target[offset..offset + bytes.len()].copy_from_slice(bytes);
}

impl SimulatedDisk {
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// Power loss: of everything that was not synced, only the sectors survive for which `survives` says so.
    pub(crate) fn crash(&self, mut survives: impl FnMut() -> bool) {
        let mut inner = self.locked();
        inner.generation += 1;
        inner.fault = None;
        for volume in inner.volumes.values_mut() {
            for (offset, bytes) in std::mem::take(&mut volume.pending) {
                let mut at = offset;
                while at < offset + bytes.len() {
                    let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(offset + bytes.len());
                    if survives() {
                        lay(&mut volume.durable, at, &bytes[at - offset..end - offset]);
                    }
                    at = end;
                }
            }
            volume.current.clone_from(&volume.durable);
        }
        let durable = inner.index.lock().unwrap().durable.clone();
        inner.index = Arc::new(Mutex::new(Index { current: durable.clone(), durable }));
    }

    /// Lets one operation fail.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        let mut inner = self.locked();
        inner.operations = 0;
        inner.fault = fault;
    }

    /// Operations since the last call of [`SimulatedDisk::fail`].
    pub(crate) fn operations(&self) -> u64 {
        self.locked().operations
    }

    /// Free bytes on the filesystem from now on.
    pub(crate) fn set_available(&self, bytes: u64) {
        self.locked().available_bytes = Some(bytes);
    }

    /// Whether everything is in the page cache.
    pub(crate) fn set_cached(&self, cached: bool) {
        self.locked().cached = cached;
    }

    /// Changes a volume's bytes behind the store's back.
    pub(crate) fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut inner = self.locked();
        let volume = inner.volumes.get_mut(name).unwrap();
        change(&mut volume.current);
        volume.durable.clone_from(&volume.current);
        volume.pending.clear();
    }

    /// A volume's bytes.
    pub(crate) fn volume(&self, name: &str) -> Vec<u8> {
        self.locked().volumes[name].current.clone()
    }

    /// Gives a volume file another name.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let mut inner = self.locked();
        let volume = inner.volumes.remove(from).unwrap();
        inner.volumes.insert(to.to_owned(), volume);
    }

    fn file(&self, name: &str, generation: u64) -> Arc<dyn DiskFile> {
        Arc::new(SimulatedFile { disk: self.clone(), name: name.to_owned(), generation })
    }
}

impl Inner {
    fn operate(&mut self) -> io::Result<()> {
        self.operations += 1;
        match self.fault {
            Some(fault) if fault.at == self.operations => Err(fault.errno.into()),
            _ => Ok(()),
        }
    }
}

impl DiskIo for SimulatedDisk {
    fn create_folders(&self) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        Ok(Box::new(()))
    }

    fn read_file(&self, name: &str) -> io::Result<Vec<u8>> {
        self.locked().files.get(name).cloned().ok_or(io::ErrorKind::NotFound.into())
    }

    fn replace_file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.locked().files.insert(name.to_owned(), content.to_vec());
        Ok(())
    }

    fn list_volumes(&self) -> io::Result<Vec<String>> {
        Ok(self.locked().volumes.keys().cloned().collect())
    }

    fn create_volume(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.locked();
        inner.operate()?;
        assert!(!inner.volumes.contains_key(name), "{name} exists");
        let volume = Volume { durable: header.to_vec(), current: header.to_vec(), pending: Vec::new() };
        inner.volumes.insert(name.to_owned(), volume);
        Ok(self.file(name, inner.generation))
    }

    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inner = self.locked();
        if !inner.volumes.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(self.file(name, inner.generation))
    }

    fn remove_volume(&self, name: &str) -> io::Result<()> {
        self.locked().volumes.remove(name).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn open_index(&self, cache_bytes: usize) -> Result<redb::Database, redb::DatabaseError> {
        let index = Arc::clone(&self.locked().index);
        redb::Database::builder().set_cache_size(cache_bytes).create_with_backend(IndexBackend { index })
    }

    fn remove_index(&self) -> io::Result<()> {
        self.locked().index = Arc::default();
        Ok(())
    }

    fn space(&self) -> io::Result<Space> {
        let available_bytes = self.locked().available_bytes.unwrap_or(1 << 40);
        Ok(Space { total_bytes: 1 << 40, available_bytes, device: 1 })
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    name: String,
    generation: u64,
}

impl SimulatedFile {
    fn with<T>(&self, body: impl FnOnce(&mut Volume) -> T) -> io::Result<T> {
        let mut inner = self.disk.locked();
        if inner.generation != self.generation {
            return Err(Errno::IO.into());
        }
        inner.volumes.get_mut(&self.name).map(body).ok_or(Errno::IO.into())
    }

    fn operate(&self) -> io::Result<()> {
        let mut inner = self.disk.locked();
        if inner.generation != self.generation {
            return Err(Errno::IO.into());
        }
        inner.operate()
    }
}

impl DiskFile for SimulatedFile {
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        let bytes = parts.concat();
        let at = offset as usize;
        let failure = self.operate().err();
        // A write that fails has written some of its bytes.
        let written = if failure.is_some() { bytes.len() / 2 } else { bytes.len() };
        self.with(|volume| {
            let end = volume.current.len().min(at + written);
            let before = volume.current.get(at..end).unwrap_or_default();
            assert!(before.iter().all(|b| *b == 0), "I4: written bytes are overwritten at {at} of {}", self.name);
            lay(&mut volume.current, at, &bytes[..written]);
            volume.pending.push((at, bytes[..written].to_vec()));
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Vec<u8>> {
        self.with(|volume| {
            let end = volume.current.len().min(offset as usize + bytes);
            volume.current.get(offset as usize..end).unwrap_or_default().to_vec()
        })
    }

    fn read_cached(&self, bytes: usize, offset: u64) -> Option<Vec<u8>> {
        let cached = self.disk.locked().cached;
        let read = self.read_at(bytes, offset).ok().filter(|read| read.len() == bytes);
        read.filter(|_| cached)
    }

    fn sync(&self) -> io::Result<()> {
        let failure = self.operate().err();
        self.with(|volume| {
            let pending = std::mem::take(&mut volume.pending);
            // As on Linux: what a failed sync did not write is clean afterwards, and no later sync brings it back.
            if failure.is_none() {
                for (offset, bytes) in &pending {
                    lay(&mut volume.durable, *offset, bytes);
                }
                let length = volume.current.len();
                volume.durable.resize(length, 0);
            }
        })?;
        failure.map_or(Ok(()), Err)
    }

    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()> {
        self.operate()?;
        self.with(|volume| {
            let length = volume.current.len().max((offset + bytes) as usize);
            volume.current.resize(length, 0);
        })
    }

    fn punch(&self, offset: u64, bytes: u64) -> io::Result<()> {
        // At once and for good, which is the harshest order that a filesystem may choose.
        self.with(|volume| {
            for bytes_of in [&mut volume.current, &mut volume.durable] {
                let end = bytes_of.len().min((offset + bytes) as usize);
                if let Some(range) = bytes_of.get_mut(offset as usize..end) {
                    range.fill(0);
                }
            }
            volume
                .pending
                .retain(|(at, data)| !(*at >= offset as usize && at + data.len() <= (offset + bytes) as usize));
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|volume| volume.current.len() as u64)
    }

    fn allocated_bytes(&self) -> io::Result<u64> {
        self.with(|volume| volume.current.chunks(4096).filter(|b| b.iter().any(|x| *x != 0)).count() as u64 * 4096)
    }
}

#[derive(Debug)]
struct IndexBackend {
    index: Arc<Mutex<Index>>,
}

impl redb::StorageBackend for IndexBackend {
    fn len(&self) -> io::Result<u64> {
        Ok(self.index.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let index = self.index.lock().unwrap();
        let bytes = index.current.get(offset as usize..offset as usize + out.len());
        out.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.index.lock().unwrap().current.resize(length as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut index = self.index.lock().unwrap();
        index.durable = index.current.clone();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        lay(&mut self.index.lock().unwrap().current, offset as usize, data);
        Ok(())
    }
}
