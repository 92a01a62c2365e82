//! A file of the simulated disk: what is durable, what the page cache shows, and what is pending between them.

use std::io;
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::{DiskFile, SimulatedDisk, read_fault};

/// Bytes that a disk writes as a whole.
const SECTOR_BYTES: usize = 512;
/// Bytes of a block, the unit of allocation.
const BLOCK_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// Append-only: overwriting what was written is a defect (I4).
    Volume,
    /// May be overwritten.
    Index,
}

enum Pending {
    Write(usize, Vec<u8>),
    Length(usize),
    Punch(usize, usize),
}

pub(super) struct Node {
    kind: FileKind,
    name: String,
    durable: Vec<u8>,
    pub(super) current: Vec<u8>,
    pending: Vec<Pending>,
    allocated: Vec<bool>,
}

fn lay(target: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if target.len() < offset + bytes.len() {
        target.resize(offset + bytes.len(), 0);
    }
    target[offset..offset + bytes.len()].copy_from_slice(bytes);
}

fn zero(target: &mut [u8], start: usize, end: usize) {
    let end = end.min(target.len());
    if let Some(range) = target.get_mut(start..end) {
        range.fill(0);
    }
}

impl Node {
    pub(super) fn new(kind: FileKind, name: &str, content: &[u8]) -> Self {
        let (durable, current) = (content.to_vec(), content.to_vec());
        let mut node =
            Self { kind, name: name.to_owned(), durable, current, pending: Vec::new(), allocated: Vec::new() };
        node.allocate(0, content.len(), u64::MAX);
        node
    }

    /// Bytes of its blocks.
    pub(super) fn blocks(&self) -> u64 {
        self.allocated.iter().filter(|block| **block).count() as u64 * BLOCK_BYTES as u64
    }

    /// Allocates blocks for `bytes` from `offset` on, as long as `available` lasts; returns how many bytes have blocks.
    pub(super) fn allocate(&mut self, offset: usize, bytes: usize, mut available: u64) -> usize {
        let (first, end) = (offset / BLOCK_BYTES, (offset + bytes).div_ceil(BLOCK_BYTES));
        if self.allocated.len() < end {
            self.allocated.resize(end, false);
        }
        for block in first..end {
            if !self.allocated[block] {
                if available < BLOCK_BYTES as u64 {
                    return (block * BLOCK_BYTES).saturating_sub(offset);
                }
                available -= BLOCK_BYTES as u64;
                self.allocated[block] = true;
            }
        }
        bytes
    }

    pub(super) fn tamper(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        change(&mut self.current);
        self.durable.clone_from(&self.current);
        self.pending.clear();
    }

    pub(super) fn lose_power(&mut self, survives: &mut impl FnMut() -> bool) {
        for pending in std::mem::take(&mut self.pending) {
            match pending {
                Pending::Write(offset, bytes) => {
                    let mut at = offset;
                    while at < offset + bytes.len() {
                        let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(offset + bytes.len());
                        if survives() {
                            lay(&mut self.durable, at, &bytes[at - offset..end - offset]);
                        }
                        at = end;
                    }
                }
                Pending::Length(length) => {
                    if survives() {
                        self.durable.resize(length, 0);
                    }
                }
                Pending::Punch(start, end) => {
                    if survives() {
                        zero(&mut self.durable, start, end);
                    }
                }
            }
        }
        self.current.clone_from(&self.durable);
    }

    fn settle(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            apply(&mut self.durable, &pending);
        }
    }

    fn write(&mut self, at: usize, bytes: &[u8]) {
        if self.kind == FileKind::Volume {
            let end = self.current.len().min(at + bytes.len());
            let before = self.current.get(at..end).unwrap_or_default();
            assert!(before.iter().all(|b| *b == 0), "I4: written bytes are overwritten at {at} of {}", self.name);
        }
        lay(&mut self.current, at, bytes);
        self.pending.push(Pending::Write(at, bytes.to_vec()));
    }
}

fn apply(target: &mut Vec<u8>, pending: &Pending) {
    match pending {
        Pending::Write(offset, bytes) => lay(target, *offset, bytes),
        Pending::Length(length) => target.resize(*length, 0),
        Pending::Punch(start, end) => zero(target, *start, *end),
    }
}

pub(super) struct SimulatedFile {
    pub(super) disk: SimulatedDisk,
    pub(super) node: Arc<Mutex<Node>>,
    pub(super) generation: u64,
}

impl SimulatedFile {
    fn with<T>(&self, body: impl FnOnce(&mut Node) -> T) -> io::Result<T> {
        let inner = self.disk.locked();
        if inner.generation != self.generation || inner.left == Some(0) {
            return Err(Errno::IO.into());
        }
        Ok(body(&mut self.node.lock().unwrap()))
    }

    fn operate(&self) -> io::Result<()> {
        let mut inner = self.disk.locked();
        if inner.generation != self.generation {
            return Err(Errno::IO.into());
        }
        if self.node.lock().unwrap().kind == FileKind::Volume {
            return inner.operate();
        }
        inner.step()?;
        inner.index_fault.map_or(Ok(()), |errno| Err(errno.into()))
    }
}

impl DiskFile for SimulatedFile {
    fn write_at(&self, parts: &[&[u8]], offset: u64) -> io::Result<()> {
        if self.disk.has_stopped() {
            return Err(Errno::IO.into());
        }
        let bytes = parts.concat();
        let at = offset as usize;
        let failure = self.operate().err();
        let inner = self.disk.locked();
        if inner.generation != self.generation {
            return Err(Errno::IO.into());
        }
        let available = if inner.capacity_bytes.is_some() { inner.available() } else { u64::MAX };
        let mut node = self.node.lock().unwrap();
        // A failed write has written some of its bytes.
        let wanted = if failure.is_some() { bytes.len() / 2 } else { bytes.len() };
        let written = node.allocate(at, wanted, available);
        node.write(at, &bytes[..written]);
        match failure {
            Some(failure) => Err(failure),
            None if written < wanted => Err(Errno::NOSPC.into()),
            None => Ok(()),
        }
    }

    fn read_at(&self, bytes: usize, offset: u64) -> io::Result<Vec<u8>> {
        let (name, mut read) = self.with(|node| {
            let end = node.current.len().min(offset as usize + bytes);
            (node.name.clone(), node.current.get(offset as usize..end).unwrap_or_default().to_vec())
        })?;
        let faults = read_fault::take(&mut self.disk.locked().read_faults, &name, offset..offset + read.len() as u64);
        for (what, range) in faults {
            what.spoil(&mut read, offset, &range)?;
        }
        Ok(read)
    }

    fn read_cached(&self, bytes: usize, offset: u64) -> Option<Vec<u8>> {
        let cached = self.disk.locked().cached;
        let read = self.read_at(bytes, offset).ok().filter(|read| read.len() == bytes);
        read.filter(|_| cached)
    }

    fn sync(&self) -> io::Result<()> {
        while self.disk.locked().syncs_held {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let failure = self.operate().err();
        let inner = self.disk.locked();
        if inner.generation != self.generation {
            return Err(Errno::IO.into());
        }
        let mut node = self.node.lock().unwrap();
        let is_index = node.kind == FileKind::Index;
        let failure = failure.or(inner.index_sync_fault.filter(|_| is_index).map(io::Error::from));
        match failure {
            None => {
                node.settle();
                Ok(())
            }
            // The machine stopped: what was pending stays pending.
            Some(failure) if inner.left == Some(0) => Err(failure),
            Some(failure) => {
                // As on Linux: what a failed sync did not write counts as clean afterwards, and no later sync writes it.
                node.pending.clear();
                Err(failure)
            }
        }
    }

    fn allocate(&self, offset: u64, bytes: u64) -> io::Result<()> {
        self.operate()?;
        let inner = self.disk.locked();
        let available = if inner.capacity_bytes.is_some() { inner.available() } else { u64::MAX };
        let mut node = self.node.lock().unwrap();
        let before = node.allocated.clone();
        if (node.allocate(offset as usize, bytes as usize, available) as u64) < bytes {
            node.allocated = before;
            return Err(Errno::NOSPC.into());
        }
        let length = node.current.len().max((offset + bytes) as usize);
        node.current.resize(length, 0);
        node.pending.push(Pending::Length(length));
        Ok(())
    }

    fn punch(&self, offset: u64, bytes: u64) -> io::Result<()> {
        self.with(|node| {
            let (start, end) = (offset as usize, (offset + bytes) as usize);
            zero(&mut node.current, start, end);
            for block in start.div_ceil(BLOCK_BYTES)..(end / BLOCK_BYTES).min(node.allocated.len()) {
                node.allocated[block] = false;
            }
            node.pending.push(Pending::Punch(start, end));
        })
    }

    fn drop_cached(&self) {
        let _ = self.with(|node| {
            let mut on_disk = node.durable.clone();
            for pending in &node.pending {
                apply(&mut on_disk, pending);
            }
            on_disk.resize(node.current.len(), 0);
            node.current = on_disk;
        });
    }

    fn set_length(&self, bytes: u64) -> io::Result<()> {
        self.operate()?;
        self.with(|node| {
            node.current.resize(bytes as usize, 0);
            node.allocated.truncate((bytes as usize).div_ceil(BLOCK_BYTES));
            node.pending.push(Pending::Length(bytes as usize));
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|node| node.current.len() as u64)
    }

    fn allocated_bytes(&self) -> io::Result<u64> {
        self.with(|node| node.blocks())
    }
}
