//! How many bytes the log holds, without looking at its rows.

use std::collections::VecDeque;

/// Bytes of rows between two marks: what a cut by size may be off.
const STEP_BYTES: u64 = 64 << 10;

/// The sizes of the log's rows, summed up to marks.
#[derive(Debug, Default)]
pub(super) struct Sizes {
    /// The index of a row, and the bytes of all rows before it that were ever counted. Ascending.
    marks: VecDeque<(u64, u64)>,
    counted: u64,
}

impl Sizes {
    /// Counts the row of entry `index`, which follows all counted before.
    pub(super) fn append(&mut self, index: u64, bytes: u64) {
        if self.marks.back().is_none_or(|(_, before)| self.counted - before >= STEP_BYTES) {
            self.marks.push_back((index, self.counted));
        }
        self.counted += bytes;
    }

    /// The rows from `index` on are gone. Those that share a mark with rows before them still count.
    pub(super) fn truncate(&mut self, index: u64) {
        while let Some((_, before)) = self.marks.pop_back_if(|(first, _)| *first >= index) {
            self.counted = before;
        }
    }

    /// The rows up to `index` are gone.
    pub(super) fn purge(&mut self, index: u64) {
        while self.marks.get(1).is_some_and(|(first, _)| *first <= index + 1) {
            self.marks.pop_front();
        }
    }

    /// Bytes of all rows; a step and a row more at most.
    pub(super) fn total(&self) -> u64 {
        self.marks.front().map_or(0, |(_, before)| self.counted - before)
    }

    /// Bytes of the rows behind entry `index`; a step and a row more at most.
    pub(super) fn behind(&self, index: u64) -> u64 {
        let later = self.marks.partition_point(|(first, _)| *first <= index + 1);
        let mark = later.checked_sub(1).and_then(|at| self.marks.get(at)).or(self.marks.front());
        mark.map_or(0, |(_, before)| self.counted - before)
    }

    /// The first entry to keep, so that the rows from it on have at most `bytes`; `None` if all of them fit.
    pub(super) fn first_within(&self, bytes: u64) -> Option<u64> {
        if self.total() <= bytes {
            return None;
        }
        let least = self.counted.saturating_sub(bytes);
        let at = self.marks.partition_point(|(_, before)| *before < least);
        // No mark is near enough to the end: the rows behind the last one stay.
        self.marks.get(at).or(self.marks.back()).map(|(first, _)| *first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_by_size_is_near_the_size() {
        let mut sizes = Sizes::default();
        for index in 1..=1000 {
            sizes.append(index, 10_000);
        }
        assert_eq!((sizes.total(), sizes.first_within(10_000_000)), (10_000_000, None));
        for wanted in [9_000_000, 1_000_000, 100_000] {
            let first = sizes.first_within(wanted).unwrap();
            let kept = (1001 - first) * 10_000;
            assert!(kept <= wanted && kept + STEP_BYTES + 10_000 > wanted, "{kept} of {wanted}");
            assert!(sizes.behind(first - 1) >= kept && sizes.behind(first - 1) <= kept + STEP_BYTES + 10_000);
        }
        let first = sizes.first_within(1_000_000).unwrap();
        sizes.purge(first - 1);
        assert_eq!((sizes.total(), sizes.first_within(1_000_000)), ((1001 - first) * 10_000, None));
        sizes.truncate(990);
        let left = (990 - first) * 10_000;
        assert!(sizes.total() >= left && sizes.total() <= left + STEP_BYTES + 10_000);
        sizes.append(990, 1 << 20);
        assert!(sizes.total() > 1 << 20);
    }

    #[test]
    fn an_empty_log_has_no_bytes() {
        let mut sizes = Sizes::default();
        assert_eq!((sizes.total(), sizes.behind(7), sizes.first_within(0)), (0, 0, None));
        sizes.append(5, 3);
        sizes.purge(5);
        sizes.truncate(5);
        assert_eq!((sizes.total(), sizes.behind(5)), (0, 0));
    }
}
