//! What was written to a file since its last sync, as it lies there now.

use std::collections::BTreeMap;
use std::io;

/// Bytes that are remembered; beyond that the file is synced before its time.
const BYTES_MAX: usize = 8 << 20;
/// Bytes beyond which nothing more is remembered, where nobody syncs: a failed sync stays one then.
const BYTES_LIMIT: usize = 2 * BYTES_MAX;

#[derive(Debug, Default)]
pub(super) struct Unsynced {
    /// Offset → bytes; they do not overlap. So writing them again changes nothing that a reader could see.
    pieces: BTreeMap<u64, Vec<u8>>,
    bytes: usize,
    /// Whether something was written that is not remembered.
    has_gaps: bool,
}

impl Unsynced {
    /// Remembers a write; tells whether it is time to sync.
    pub(super) fn add(&mut self, offset: u64, bytes: &[u8]) -> bool {
        self.remove(offset, offset + bytes.len() as u64);
        if self.has_gaps || self.bytes + bytes.len() > BYTES_LIMIT {
            *self = Self { has_gaps: true, ..Self::default() };
            return true;
        }
        self.bytes += bytes.len();
        self.pieces.insert(offset, bytes.to_vec());
        self.bytes > BYTES_MAX
    }

    /// The file ends at `len` now.
    pub(super) fn cut(&mut self, len: u64) {
        self.remove(len, u64::MAX);
    }

    /// Puts back what was written before all that is remembered here.
    pub(super) fn put_back(&mut self, earlier: Self) {
        let later = std::mem::replace(self, earlier);
        for (offset, bytes) in later.pieces {
            self.add(offset, &bytes);
        }
        self.has_gaps |= later.has_gaps;
    }

    /// Fails if not everything is remembered.
    pub(super) fn check_whole(&self) -> io::Result<()> {
        if self.has_gaps {
            return Err(io::Error::other("a sync failed for want of room, and what it was for is not known any more"));
        }
        Ok(())
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.pieces.iter().map(|(offset, bytes)| (*offset, bytes.as_slice()))
    }

    /// Forgets what lies from `start` to `end`.
    fn remove(&mut self, start: u64, end: u64) {
        let before = self.pieces.range(..start).next_back().map(|(offset, _)| *offset);
        let within = self.pieces.range(start..end).map(|(offset, _)| *offset);
        let touched: Vec<u64> = before.into_iter().chain(within).collect();
        for offset in touched {
            let Some(mut bytes) = self.pieces.remove(&offset) else { continue };
            self.bytes -= bytes.len();
            let length = bytes.len() as u64;
            if offset + length > end {
                let right = bytes.split_off((end - offset) as usize);
                self.put(end, right);
            }
            bytes.truncate(start.saturating_sub(offset) as usize);
            self.put(offset, bytes);
        }
    }

    fn put(&mut self, offset: u64, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.bytes += bytes.len();
            self.pieces.insert(offset, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_remembered_is_what_lies_in_the_file(
            writes in proptest::collection::vec((0..64u64, 1..24usize, any::<u8>()), 1..40),
            cuts in proptest::collection::vec(0..80u64, 3),
        ) {
            let (mut file, mut unsynced) = (BTreeMap::new(), Unsynced::default());
            for (n, (offset, length, byte)) in writes.into_iter().enumerate() {
                unsynced.add(offset, &vec![byte; length]);
                file.extend((offset..offset + length as u64).map(|at| (at, byte)));
                if let Some(len) = cuts.get(n / 10).filter(|_| n % 10 == 9) {
                    unsynced.cut(*len);
                    file.retain(|at, _| at < len);
                }
            }
            let held: Vec<(u64, u8)> = unsynced.pieces().flat_map(|(from, bytes)| (from..).zip(bytes.to_vec())).collect();
            prop_assert_eq!(unsynced.bytes, held.len());
            prop_assert_eq!(held, file.into_iter().collect::<Vec<_>>());
        }
    }
}
