//! Checks every page of a database file before anything is answered from it.
//!
//! redb keeps a checksum of every page but checks it only during a repair. So the file is read through once before it
//! is opened, with all writes going to an overlay: a repair may fall back to an older state, and must neither change
//! the evidence nor go unnoticed.

use cairn_core::sync::IgnorePoison;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use redb::{Database, StorageBackend};

/// Granularity of the overlay's copies, in bytes.
const BLOCK_BYTES: usize = 4096;
/// The commit slots in the header of redb's file format 3, their transaction numbers, and the byte that says which of
/// them counts. Source: redb's `docs/design.md`, "File format".
const STATE_BYTE: usize = 9;
const SECOND_IS_PRIMARY: u8 = 1;
const RECOVERY_REQUIRED: u8 = 2;
const SLOTS: [usize; 2] = [64, 192];
const SLOT_FORMAT: u8 = 3;
const TRANSACTION: usize = 104;
const HEADER_BYTES: usize = 320;

/// Reads the whole file; the error describes the damage.
pub(crate) fn verify(path: &Path, cache_bytes: usize) -> Result<(), String> {
    let overlay = Overlay::open(path).map_err(|e| e.to_string())?;
    check_slots(&overlay)?;
    let checked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let mut database = Database::builder()
            .set_cache_size(cache_bytes)
            .create_with_backend(overlay)
            .map_err(|e| format!("it does not open: {e}"))?;
        match database.check_integrity() {
            Ok(true) => Ok(()),
            Ok(false) => Err("its pages do not match their checksums".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }));
    checked.unwrap_or_else(|_| Err("its structure makes no sense".to_owned()))
}

/// After a clean shutdown the newer of the two commit slots counts. The byte that selects it has no checksum.
fn check_slots(overlay: &Overlay) -> Result<(), String> {
    let mut header = [0; HEADER_BYTES];
    if overlay.file_bytes < HEADER_BYTES as u64 {
        return Err(format!("it has {} bytes", overlay.file_bytes));
    }
    overlay.file.read_exact_at(&mut header, 0).map_err(|e| e.to_string())?;
    let state = header.get(STATE_BYTE).copied().unwrap_or_default();
    let of_known_format = SLOTS.iter().all(|slot| header.get(*slot) == Some(&SLOT_FORMAT));
    if state & RECOVERY_REQUIRED != 0 || !of_known_format {
        return Ok(());
    }
    let number = |slot: usize| {
        let bytes = header.get(slot + TRANSACTION..slot + TRANSACTION + 8);
        bytes.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_le_bytes)
    };
    let [first, second] = SLOTS.map(number);
    let (primary, other) = if state & SECOND_IS_PRIMARY == 0 { (first, second) } else { (second, first) };
    if primary < other {
        return Err(format!("its header points to commit {primary}, and commit {other} is there"));
    }
    Ok(())
}

/// A file with changes that are kept in memory and never written to it.
#[derive(Debug)]
struct Overlay {
    file: File,
    file_bytes: u64,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    bytes: u64,
    blocks: HashMap<u64, Box<[u8; BLOCK_BYTES]>>,
}

impl Overlay {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let file_bytes = file.metadata()?.len();
        let changes = Mutex::new(Changes { bytes: file_bytes, blocks: HashMap::new() });
        Ok(Self { file, file_bytes, changes })
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().ignore_poison()
    }

    /// Bytes of the file; zero past its end.
    fn read_file(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let there = self.file_bytes.saturating_sub(offset).min(out.len() as u64) as usize;
        let (file, behind) = out.split_at_mut(there);
        behind.fill(0);
        self.file.read_exact_at(file, offset)
    }
}

/// The parts of `offset..offset + length` by block: the block, where in it, and where in the range.
fn parts(offset: u64, length: usize) -> impl Iterator<Item = (u64, std::ops::Range<usize>, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        if done == length {
            return None;
        }
        let at = offset + done as u64;
        let start = (at % BLOCK_BYTES as u64) as usize;
        let count = (BLOCK_BYTES - start).min(length - done);
        let part = (at / BLOCK_BYTES as u64, start..start + count, done..done + count);
        done += count;
        Some(part)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.changes().bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let changes = self.changes();
        if offset + out.len() as u64 > changes.bytes {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.read_file(offset, out)?;
        if changes.blocks.is_empty() {
            return Ok(());
        }
        for (block, inside, range) in parts(offset, out.len()) {
            if let (Some(changed), Some(out)) = (changes.blocks.get(&block), out.get_mut(range)) {
                out.copy_from_slice(&changed[inside]);
            }
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut changes = self.changes();
        // Truncated bytes are zero if the file grows again; redb never reads what it has not written there.
        changes.bytes = len;
        changes.blocks.retain(|block, _| block * (BLOCK_BYTES as u64) < len);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut changes = self.changes();
        for (block, inside, range) in parts(offset, data.len()) {
            let copy = match changes.blocks.entry(block) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(vacant) => {
                    let mut copy = Box::new([0; BLOCK_BYTES]);
                    self.read_file(block * BLOCK_BYTES as u64, &mut copy[..])?;
                    vacant.insert(copy)
                }
            };
            if let Some(data) = data.get(range) {
                copy[inside].copy_from_slice(data);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use redb::{ReadableDatabase, ReadableTable, TableDefinition};
    use tempfile::TempDir;

    use super::*;
    use crate::raft::log_writer::begin;

    const ROWS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("rows");
    const CACHE: usize = 1 << 20;

    /// A file like a member's, as a clean shutdown or a crash leaves it.
    fn file(dir: &TempDir, crashed: bool) -> std::path::PathBuf {
        let (path, image) = (dir.path().join("file.redb"), dir.path().join("image.redb"));
        let database = Database::create(&path).unwrap();
        for round in 0..8u64 {
            let transaction = begin(&database).unwrap();
            let mut rows = transaction.open_table(ROWS).unwrap();
            for n in 0..300 {
                let key = round * 1000 + n;
                rows.insert(key, vec![(key % 251) as u8; 200].as_slice()).unwrap();
            }
            drop(rows);
            transaction.commit().unwrap();
        }
        std::fs::copy(&path, &image).unwrap();
        drop(database);
        if crashed { image } else { path }
    }

    fn rows(path: &Path) -> Option<Vec<(u64, Vec<u8>)>> {
        std::panic::catch_unwind(|| {
            let database = Database::open(path).ok()?;
            let table = database.begin_read().ok()?.open_table(ROWS).ok()?;
            table.iter().ok()?.map(|row| row.ok().map(|(key, value)| (key.value(), value.value().to_vec()))).collect()
        })
        .ok()
        .flatten()
    }

    /// I9, I15: whatever bit flips, the file is refused or its contents are unchanged.
    #[test]
    fn no_flipped_bit_changes_the_contents() {
        let dir = TempDir::new().unwrap();
        for crashed in [false, true] {
            let path = file(&dir, crashed);
            assert_eq!(verify(&path, CACHE), Ok(()), "crashed: {crashed}");
            let good = std::fs::read(&path).unwrap();
            let expected = rows(&path).unwrap();
            std::fs::write(&path, &good).unwrap();
            let header = (0..HEADER_BYTES).map(|byte| (byte, byte % 8));
            let header = header.chain((0..8).map(|bit| (STATE_BYTE, bit)));
            let sampled = (0..300).map(|n| (HEADER_BYTES + (n * 7919 * 13) % (good.len() - HEADER_BYTES), n % 8));
            let (mut refused, mut tried) = (0, 0);
            for (byte, bit) in header.chain(sampled) {
                // After a crash the header may point to either slot: that is what a crash in a commit looks like.
                if crashed && byte == STATE_BYTE {
                    continue;
                }
                tried += 1;
                let mut bad = good.clone();
                bad[byte] ^= 1 << bit;
                std::fs::write(&path, &bad).unwrap();
                if verify(&path, CACHE).is_err() {
                    refused += 1;
                    assert!(std::fs::read(&path).unwrap() == bad, "what is refused is not changed");
                } else {
                    assert_eq!(rows(&path).as_ref(), Some(&expected), "byte {byte}, bit {bit}, crashed: {crashed}");
                }
            }
            println!("crashed: {crashed}: {refused} of {tried} flips refused");
            assert!(refused > tried / 10, "{refused} of {tried}");
        }
    }
}
