//! A disk in memory that loses what was not synced, fails or stops at any operation, runs full, and notices overwritten
//! bytes.

mod file;
mod read_fault;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use rustix::io::Errno;

use self::file::{FileKind, Node, SimulatedFile};
pub(crate) use self::read_fault::{Misread, ReadFault};
use super::{DiskFile, DiskIo, Space};

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Default)]
pub(crate) struct SimulatedDisk {
    inner: Arc<Mutex<Inner>>,
    /// The process that this handle belongs to; `None` for the test.
    process: Option<u64>,
}

/// An operation that fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    /// Its number, counting writes, syncs, allocations and new files of the log from 1.
    pub(crate) at: u64,
    /// What it fails with.
    pub(crate) errno: Errno,
}

#[derive(Default)]
struct Inner {
    /// The small files beside the volumes.
    files: BTreeMap<String, Vec<u8>>,
    volumes: BTreeMap<String, Arc<Mutex<Node>>>,
    /// The volumes whose names the last sync of their folder made durable.
    durable_names: BTreeMap<String, Arc<Mutex<Node>>>,
    read_faults: Vec<ReadFault>,
    index: Option<Arc<Mutex<Node>>>,
    spare: Option<Arc<Mutex<Node>>>,
    /// Counts the crashes: files that were opened before one fail.
    generation: u64,
    /// Operations on the log since the last call of `fail`.
    operations: u64,
    fault: Option<Fault>,
    /// What every write and sync of the index fails with.
    index_fault: Option<Errno>,
    index_sync_fault: Option<Errno>,
    /// Operations of any kind that still succeed; after them everything fails until the crash.
    left: Option<u64>,
    available_bytes: Option<u64>,
    capacity_bytes: Option<u64>,
    foreign_bytes: u64,
    cached: bool,
    removals_fail: bool,
    syncs_held: bool,
}

impl SimulatedDisk {
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// The disk as seen by a process that starts now: everything fails once that process has ended.
    pub(crate) fn process(&self) -> Self {
        let process = Some(self.locked().generation);
        Self { inner: Arc::clone(&self.inner), process }
    }

    /// As [`SimulatedDisk::locked`], but fails for a process that has ended.
    fn alive(&self) -> io::Result<MutexGuard<'_, Inner>> {
        let inner = self.locked();
        if self.process.is_some_and(|process| process != inner.generation) || inner.left == Some(0) {
            return Err(Errno::IO.into());
        }
        Ok(inner)
    }

    /// Power loss: of what was not synced, only the sectors survive for which `survives` returns true.
    pub(crate) fn crash(&self, mut survives: impl FnMut() -> bool) {
        let mut inner = self.locked();
        inner.end_process();
        inner.lose_names(&mut survives);
        for node in inner.nodes() {
            node.lock().unwrap().lose_power(&mut survives);
        }
    }

    /// The process ends at once, as by `kill -9`; the page cache stays.
    pub(crate) fn kill(&self) {
        self.locked().end_process();
    }

    /// The machine stops after `count` more operations: everything fails until [`SimulatedDisk::crash`] or
    /// [`SimulatedDisk::kill`].
    pub(crate) fn stop_after(&self, count: u64) {
        self.locked().left = Some(count);
    }

    /// Whether the machine has stopped.
    pub(crate) fn has_stopped(&self) -> bool {
        self.locked().left == Some(0)
    }

    /// Reads go wrong from now on, in addition to what was said before.
    pub(crate) fn misread(&self, fault: ReadFault) {
        self.locked().read_faults.push(fault);
    }

    /// All reads are good again.
    pub(crate) fn heal_reads(&self) {
        self.locked().read_faults.clear();
    }

    /// Reads that went wrong and may go wrong again.
    pub(crate) fn misreads(&self) -> bool {
        !self.locked().read_faults.is_empty()
    }

    /// One operation on the log fails.
    pub(crate) fn fail(&self, fault: Option<Fault>) {
        let mut inner = self.locked();
        inner.operations = 0;
        inner.fault = fault;
    }

    /// Every write and sync of the index fails.
    pub(crate) fn fail_index(&self, errno: Option<Errno>) {
        self.locked().index_fault = errno;
    }

    /// Every sync of the index fails.
    pub(crate) fn fail_index_syncs(&self, errno: Option<Errno>) {
        self.locked().index_sync_fault = errno;
    }

    /// Whether every removal of a volume fails.
    pub(crate) fn fail_removals(&self, fail: bool) {
        self.locked().removals_fail = fail;
    }

    /// Whether syncs of the log wait.
    pub(crate) fn hold_syncs(&self, hold: bool) {
        self.locked().syncs_held = hold;
    }

    /// Operations on the log since the last call of [`SimulatedDisk::fail`].
    pub(crate) fn operations(&self) -> u64 {
        self.locked().operations
    }

    /// Free bytes that the filesystem reports from now on, whatever is written.
    pub(crate) fn set_available(&self, bytes: u64) {
        self.locked().available_bytes = Some(bytes);
    }

    /// Bytes of the filesystem, which blocks use up from now on.
    pub(crate) fn set_capacity(&self, bytes: u64) {
        self.locked().capacity_bytes = Some(bytes);
    }

    /// Somebody else takes all free bytes of the filesystem but `left`.
    pub(crate) fn fill_all_but(&self, left: u64) {
        let mut inner = self.locked();
        inner.foreign_bytes = 0;
        inner.foreign_bytes = inner.available().saturating_sub(left);
    }

    /// Whether the page cache has everything.
    pub(crate) fn set_cached(&self, cached: bool) {
        self.locked().cached = cached;
    }

    /// Changes a volume's bytes behind the store's back.
    pub(crate) fn tamper(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        self.locked().volumes[name].lock().unwrap().tamper(change);
    }

    /// A volume's bytes.
    pub(crate) fn volume(&self, name: &str) -> Vec<u8> {
        self.locked().volumes[name].lock().unwrap().current.clone()
    }

    /// Gives a volume file another name.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        let mut inner = self.locked();
        let volume = inner.volumes.remove(from).unwrap();
        inner.volumes.insert(to.to_owned(), volume);
        inner.durable_names = inner.volumes.clone();
    }

    fn file(&self, node: &Arc<Mutex<Node>>, generation: u64) -> Arc<dyn DiskFile> {
        Arc::new(SimulatedFile { disk: self.clone(), node: Arc::clone(node), generation })
    }
}

impl Inner {
    fn end_process(&mut self) {
        self.generation += 1;
        self.fault = None;
        self.left = None;
    }

    /// Power is lost: of the names that were made or removed since their folder was synced, each change survives or not.
    fn lose_names(&mut self, survives: &mut impl FnMut() -> bool) {
        let before = std::mem::take(&mut self.durable_names);
        self.volumes.retain(|name, _| before.contains_key(name) || survives());
        for (name, node) in before {
            if !self.volumes.contains_key(&name) && !survives() {
                self.volumes.insert(name, node);
            }
        }
        self.durable_names = self.volumes.clone();
    }

    fn nodes(&self) -> Vec<Arc<Mutex<Node>>> {
        let single = [&self.index, &self.spare];
        self.volumes.values().chain(single.into_iter().flatten()).map(Arc::clone).collect()
    }

    /// Counts an operation; fails once the machine has stopped.
    fn step(&mut self) -> io::Result<()> {
        match &mut self.left {
            Some(0) => return Err(Errno::IO.into()),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(())
    }

    /// Counts an operation on the log.
    fn operate(&mut self) -> io::Result<()> {
        self.step()?;
        self.operations += 1;
        match self.fault {
            Some(fault) if fault.at == self.operations => Err(fault.errno.into()),
            _ => Ok(()),
        }
    }

    fn available(&self) -> u64 {
        if let Some(bytes) = self.available_bytes {
            return bytes;
        }
        let Some(capacity) = self.capacity_bytes else { return 1 << 40 };
        let used: u64 = self.nodes().iter().map(|node| node.lock().unwrap().blocks()).sum();
        capacity.saturating_sub(self.foreign_bytes + used)
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
        let mut inner = self.locked();
        let mut content = inner.files.get(name).cloned().ok_or(io::ErrorKind::NotFound)?;
        for (what, range) in read_fault::take(&mut inner.read_faults, name, 0..content.len() as u64) {
            what.spoil(&mut content, 0, &range)?;
        }
        Ok(content)
    }

    fn replace_file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        self.alive()?.files.insert(name.to_owned(), content.to_vec());
        Ok(())
    }

    fn list_volumes(&self) -> io::Result<Vec<String>> {
        Ok(self.locked().volumes.keys().cloned().collect())
    }

    fn create_volume(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.alive()?;
        let failure = inner.operate().err();
        assert!(!inner.volumes.contains_key(name), "{name} exists");
        // A failed creation has made the file, and perhaps a part of its header.
        let written = if failure.is_some() { inner.operations as usize % 2 * header.len() / 2 } else { header.len() };
        let node = Arc::new(Mutex::new(Node::new(FileKind::Volume, name, &header[..written])));
        inner.volumes.insert(name.to_owned(), Arc::clone(&node));
        let generation = inner.generation;
        drop(inner);
        failure.map_or_else(|| Ok(self.file(&node, generation)), Err)
    }

    fn sync_volumes(&self) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.operate()?;
        inner.durable_names = inner.volumes.clone();
        Ok(())
    }

    fn open_volume(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let inner = self.alive()?;
        let node = inner.volumes.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.file(node, inner.generation))
    }

    fn remove_volume(&self, name: &str) -> io::Result<()> {
        let mut inner = self.alive()?;
        inner.step()?;
        if inner.removals_fail {
            return Err(Errno::IO.into());
        }
        inner.volumes.remove(name);
        Ok(())
    }

    fn make_spare(&self, bytes: u64) -> io::Result<()> {
        let mut inner = self.alive()?;
        if inner.spare.as_ref().is_some_and(|node| node.lock().unwrap().current.len() as u64 >= bytes) {
            return Ok(());
        }
        if inner.available() < bytes.next_multiple_of(4096) {
            return Err(Errno::NOSPC.into());
        }
        let mut node = Node::new(FileKind::Volume, "spare", &vec![0; bytes as usize]);
        node.allocate(0, bytes as usize, u64::MAX);
        inner.spare = Some(Arc::new(Mutex::new(node)));
        Ok(())
    }

    fn spare_bytes(&self) -> u64 {
        self.locked().spare.as_ref().map_or(0, |node| node.lock().unwrap().current.len() as u64)
    }

    fn create_volume_of_spare(&self, name: &str, header: &[u8]) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.alive()?;
        inner.operate()?;
        let node = inner.spare.take().ok_or(io::ErrorKind::NotFound)?;
        node.lock().unwrap().tamper(|bytes| bytes[..header.len()].copy_from_slice(header));
        inner.volumes.insert(name.to_owned(), Arc::clone(&node));
        Ok(self.file(&node, inner.generation))
    }

    fn open_index(&self) -> io::Result<Arc<dyn DiskFile>> {
        let mut inner = self.alive()?;
        let node = inner.index.get_or_insert_with(|| Arc::new(Mutex::new(Node::new(FileKind::Index, "index", &[]))));
        let node = Arc::clone(node);
        Ok(self.file(&node, inner.generation))
    }

    fn remove_index(&self) -> io::Result<()> {
        self.alive()?.index = None;
        Ok(())
    }

    fn other_bytes(&self) -> io::Result<u64> {
        let inner = self.locked();
        let others = [&inner.index, &inner.spare];
        Ok(others.into_iter().flatten().map(|node| node.lock().unwrap().blocks()).sum())
    }

    fn space(&self) -> io::Result<Space> {
        let inner = self.locked();
        let total_bytes = inner.capacity_bytes.unwrap_or(1 << 40);
        let available_bytes = inner.available();
        Ok(Space { total_bytes, available_bytes, available_files: None, device: 1 })
    }
}
