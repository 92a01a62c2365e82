//! The file under the database. Once the disk refuses a write, nothing more is written to the file and everything stays in
//! memory instead, so that a full disk never breaks an open index: reads and deletions go on (I21).
//!
//! The file is then as after a crash within a commit, which redb's checksums recognize: it opens in an earlier state or not
//! at all, and the index is rebuilt. When there is room again, the next sync writes everything. After a failed sync
//! nothing is written until a restart rebuilds the index.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::StorageErrorKind;

use crate::disk_io::{DiskFile, DiskIo};
use crate::store::fault::classify;

/// The unit in which writes are kept in memory, in bytes.
const BLOCK_BYTES: u64 = 4096;
/// Free bytes that must remain for others when what is in memory is written.
const MARGIN_BYTES: u64 = 1 << 20;

/// The file under the database. Clones are the same file.
#[derive(Clone)]
pub(crate) struct IndexFile {
    inner: Arc<Inner>,
}

struct Inner {
    io: Arc<dyn DiskIo>,
    file: Arc<dyn DiskFile>,
    length: AtomicU64,
    memory: Mutex<Memory>,
    /// Whether the memory has anything. Set before the file falls behind, cleared once it has caught up.
    is_behind: AtomicBool,
}

#[derive(Default)]
struct Memory {
    /// Whole blocks, by their offset.
    blocks: BTreeMap<u64, Vec<u8>>,
    /// Bytes from the beginning that are read from the file; past them there are zeros.
    file_bytes: u64,
    /// A sync failed: what the file has is unknown from then on, so it is neither read nor written (I2).
    is_lost: bool,
    /// The last failure that the disk is to blame for, until it is taken.
    blame: Option<io::Error>,
    /// The last failed read, until it is taken.
    unread: Option<io::Error>,
}

impl IndexFile {
    /// Opens or creates the file.
    pub(crate) fn open(io: &Arc<dyn DiskIo>) -> io::Result<Self> {
        let file = io.open_index()?;
        // A killed process may have left in the page cache what a failed sync did not write.
        file.sync()?;
        file.drop_cached();
        let length = AtomicU64::new(file.length()?);
        let (memory, is_behind) = (Mutex::default(), AtomicBool::new(false));
        Ok(Self { inner: Arc::new(Inner { io: Arc::clone(io), file, length, memory, is_behind }) })
    }

    /// Whether a part of the database is only in memory.
    pub(crate) fn is_behind(&self) -> bool {
        self.inner.is_behind()
    }

    /// A read that failed since the last call, if one did.
    pub(crate) fn take_unread(&self) -> Option<io::Error> {
        self.inner.locked().unread.take()
    }

    /// A failure that the disk is to blame for, if there was one since the last call.
    pub(crate) fn take_blame(&self) -> Option<io::Error> {
        self.inner.locked().blame.take()
    }
}

impl std::fmt::Debug for IndexFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexFile(…)")
    }
}

impl Inner {
    fn locked(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().ignore_poison()
    }

    fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::SeqCst)
    }

    fn length(&self) -> u64 {
        self.length.load(Ordering::SeqCst)
    }

    /// The disk refused an operation: from now on everything stays in memory.
    fn fall_behind(&self, memory: &mut Memory, error: io::Error) {
        tracing::warn!(%error, "the index cannot be written: keeping it in memory until the disk takes it");
        memory.file_bytes = self.length();
        self.is_behind.store(true, Ordering::SeqCst);
        if classify(&error) == StorageErrorKind::Failed {
            memory.blame = Some(error);
        }
    }

    /// A sync failed. The page cache still has what was written, but may drop it: all of it is copied to memory.
    fn lose(&self, memory: &mut Memory, error: io::Error) -> io::Result<()> {
        self.fall_behind(memory, error);
        for at in (0..self.length()).step_by(BLOCK_BYTES as usize) {
            let mut block = vec![0; BLOCK_BYTES as usize];
            self.read_file(at, memory.file_bytes, &mut block)?;
            memory.blocks.insert(at, block);
        }
        (memory.file_bytes, memory.is_lost) = (0, true);
        Ok(())
    }

    /// Reads from the file; past its end there are zeros.
    fn read_file(&self, offset: u64, end: u64, out: &mut [u8]) -> io::Result<()> {
        out.fill(0);
        let wanted = end.min(offset + out.len() as u64).saturating_sub(offset) as usize;
        // A database whose read failed once serves nothing any more, so a failed read is repeated first.
        let read = self.file.read_at(wanted, offset).or_else(|_| self.file.read_at(wanted, offset))?;
        if let Some(begin) = out.get_mut(..read.len()) {
            begin.copy_from_slice(&read);
        }
        Ok(())
    }

    fn write_memory(&self, memory: &mut Memory, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset + data.len() as u64;
        let mut at = offset / BLOCK_BYTES * BLOCK_BYTES;
        while at < end {
            if !memory.blocks.contains_key(&at) {
                let mut block = vec![0; BLOCK_BYTES as usize];
                self.read_file(at, memory.file_bytes, &mut block)?;
                memory.blocks.insert(at, block);
            }
            at += BLOCK_BYTES;
        }
        for (at, block) in memory.blocks.range_mut(offset / BLOCK_BYTES * BLOCK_BYTES..end) {
            let (from, to) = ((*at).max(offset), (at + BLOCK_BYTES).min(end));
            let source = data.get((from - offset) as usize..(to - offset) as usize);
            if let (Some(target), Some(source)) = (block.get_mut((from - at) as usize..(to - at) as usize), source) {
                target.copy_from_slice(source);
            }
        }
        Ok(())
    }

    fn read_memory(&self, memory: &Memory, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_file(offset, memory.file_bytes, out)?;
        let end = offset + out.len() as u64;
        for (at, block) in memory.blocks.range(offset / BLOCK_BYTES * BLOCK_BYTES..end) {
            let (from, to) = ((*at).max(offset), (at + BLOCK_BYTES).min(end));
            let target = out.get_mut((from - offset) as usize..(to - offset) as usize);
            if let (Some(target), Some(source)) = (target, block.get((from - at) as usize..(to - at) as usize)) {
                target.copy_from_slice(source);
            }
        }
        Ok(())
    }

    /// Writes what is in memory, if there is room: first everything but the first block, which says where the rest is, then
    /// that block.
    fn catch_up(&self, memory: &mut Memory) -> io::Result<()> {
        let wanted = memory.blocks.len() as u64 * BLOCK_BYTES + MARGIN_BYTES;
        if memory.is_lost || self.io.space()?.available_bytes < wanted {
            return Ok(());
        }
        let length = self.length();
        self.file.set_length(memory.file_bytes.min(length))?;
        self.file.set_length(length)?;
        let write = |at: u64, block: &[u8]| {
            let inside = length.saturating_sub(at).min(BLOCK_BYTES) as usize;
            self.file.write_at(&[block.get(..inside).unwrap_or(block)], at)
        };
        memory.blocks.range(1..).try_for_each(|(at, block)| write(*at, block))?;
        self.file.sync()?;
        memory.blocks.range(..1).try_for_each(|(at, block)| write(*at, block))?;
        self.file.sync()?;
        memory.blocks.clear();
        self.is_behind.store(false, Ordering::SeqCst);
        tracing::info!("the index is on disk again");
        Ok(())
    }
}

impl redb::StorageBackend for IndexFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.length())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.is_behind() {
            return self.inner.read_memory(&self.inner.locked(), offset, out);
        }
        self.inner.read_file(offset, u64::MAX, out).inspect_err(|error| {
            let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            self.inner.locked().unread = Some(copy);
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let inner = &self.inner;
        let mut memory = inner.locked();
        if !inner.is_behind()
            && let Err(error) = inner.file.set_length(length)
        {
            inner.fall_behind(&mut memory, error);
        }
        if inner.is_behind() {
            memory.file_bytes = memory.file_bytes.min(length);
            memory.blocks.retain(|at, _| *at < length);
            if let Some((at, block)) = memory.blocks.last_entry().map(|last| (*last.key(), last.into_mut())) {
                block.iter_mut().skip((length - at) as usize).for_each(|byte| *byte = 0);
            }
        }
        inner.length.store(length, Ordering::SeqCst);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let inner = &self.inner;
        let mut memory = inner.locked();
        if inner.is_behind() {
            // It may fail as often as it likes: the file is no worse than before, and the memory has everything.
            if let Err(error) = inner.catch_up(&mut memory)
                && classify(&error) == StorageErrorKind::Failed
            {
                memory.blame = Some(error);
            }
            return Ok(());
        }
        inner.file.sync().or_else(|error| inner.lose(&mut memory, error))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let inner = &self.inner;
        let mut memory = inner.locked();
        if !inner.is_behind() {
            match inner.file.write_at(&[data], offset) {
                Ok(()) => return Ok(()),
                Err(error) => inner.fall_behind(&mut memory, error),
            }
        }
        inner.write_memory(&mut memory, offset, data)
    }
}
