//! The dead bytes of a volume, merged, so that neighbours that died at different times free the blocks they share.

use std::collections::BTreeMap;
use std::ops::Range;

/// The unit in which filesystems give space back, in bytes.
const BLOCK_BYTES: u64 = 4096;

/// Disjoint ranges without live records. Only of what died since the start: a cache for punching, not a record.
#[derive(Debug, Default)]
pub(crate) struct DeadRanges {
    /// Each start with its end.
    ranges: BTreeMap<u64, u64>,
}

impl DeadRanges {
    /// Adds a dead record and returns the whole blocks that it completes, which can be punched.
    pub(crate) fn add(&mut self, dead: Range<u64>) -> Range<u64> {
        let (mut start, mut end) = (dead.start, dead.end);
        if let Some((&before, &before_end)) = self.ranges.range(..=start).next_back()
            && before_end >= start
        {
            (start, end) = (before, end.max(before_end));
        }
        while let Some((&next, &next_end)) = self.ranges.range(start..).next()
            && next <= end
        {
            end = end.max(next_end);
            self.ranges.remove(&next);
        }
        self.ranges.insert(start, end);
        let whole = start.next_multiple_of(BLOCK_BYTES)..end / BLOCK_BYTES * BLOCK_BYTES;
        let touched = dead.start / BLOCK_BYTES * BLOCK_BYTES..dead.end.next_multiple_of(BLOCK_BYTES);
        whole.start.max(touched.start)..whole.end.min(touched.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Only whole dead blocks are punched, and in the end all of them.
        #[test]
        fn exactly_the_dead_blocks_are_punched(records in proptest::collection::vec((1u64..30, any::<bool>()), 1..60)) {
            let mut at = 8u64;
            let mut placed: Vec<(Range<u64>, bool)> = Vec::new();
            for (units, dies) in records {
                placed.push((at * 512..(at + units) * 512, dies));
                at += units;
            }
            let mut dead: Vec<_> = placed.iter().filter(|r| r.1).map(|r| r.0.clone()).collect();
            dead.reverse();
            let mut ranges = DeadRanges::default();
            let punched: Vec<_> = dead.iter().map(|r| ranges.add(r.clone())).collect();
            let is_dead = |byte: u64| dead.iter().any(|r| r.contains(&byte));
            for block in 0..at * 512 / 4096 {
                let whole = (0..8).all(|sector| is_dead(block * 4096 + sector * 512));
                let is_punched = punched.iter().any(|r| r.contains(&(block * 4096)));
                prop_assert_eq!(whole, is_punched, "block {}", block);
            }
        }
    }
}
