//! How long the metadata service has been up, without a wall clock.

use minicbor::{Decode, Encode};

use crate::id::CommitSequence;

/// Marks are at most this fraction of their age apart. Ten years of marks take about 50 KB.
const GAPS_PER_AGE: u64 = 256;
/// Limit on marks. Beyond it the oldest are dropped, and commits before them count as no older than the oldest mark
/// left.
const MARKS_MAX: usize = 4096;

/// The time for which the service had a leader, by the monotonic clocks of its leaders, with the newest commit at some
/// points of it. Part of the replicated state: it survives restarts and changes of leader, and stands still while there
/// is no leader. So it never overstates the age of a commit, whatever any wall clock says (I20).
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ServiceTime {
    #[n(0)]
    elapsed_ms: u64,
    /// The oldest first.
    #[n(1)]
    marks: Vec<Mark>,
}

/// A point of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
struct Mark {
    #[n(0)]
    elapsed_ms: u64,
    /// The newest commit then.
    #[n(1)]
    commit: CommitSequence,
}

impl ServiceTime {
    /// In milliseconds.
    pub fn elapsed_ms(&self) -> u64 {
        self.elapsed_ms
    }

    /// A lower bound for the age of the commit, in milliseconds.
    pub fn age_ms(&self, commit: CommitSequence) -> u64 {
        let later = self.marks.partition_point(|mark| mark.commit < commit);
        self.marks.get(later).map_or(0, |mark| self.elapsed_ms - mark.elapsed_ms)
    }

    /// Advances to `to_ms`, a point at which `commit` existed. Marks of the last days are kept `spacing_ms` apart.
    pub fn advance(&mut self, to_ms: u64, commit: CommitSequence, spacing_ms: u64) {
        self.elapsed_ms = self.elapsed_ms.max(to_ms);
        let commit = self.marks.last().map_or(commit, |last| last.commit.max(commit));
        self.marks.push(Mark { elapsed_ms: self.elapsed_ms, commit });
        self.thin(spacing_ms);
    }

    /// Drops marks whose neighbours are close enough for their age. A commit without a mark counts as younger.
    fn thin(&mut self, spacing_ms: u64) {
        let mut kept: Vec<Mark> = Vec::with_capacity(self.marks.len());
        for (n, mark) in self.marks.iter().enumerate() {
            let gap = |before: &Mark, after: &Mark| after.elapsed_ms - before.elapsed_ms;
            let close = match (kept.last(), self.marks.get(n + 1)) {
                (Some(before), Some(after)) => {
                    let age_ms = self.elapsed_ms - after.elapsed_ms;
                    gap(before, after) <= spacing_ms.max(age_ms / GAPS_PER_AGE)
                }
                _ => false,
            };
            if !close {
                kept.push(*mark);
            }
        }
        let beyond = kept.len().saturating_sub(MARKS_MAX);
        self.marks = kept.split_off(beyond);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    #[test]
    fn ages_are_never_too_high_and_not_much_too_low_for_ten_years() {
        let mut time = ServiceTime::default();
        let hours = 10 * 365 * 24;
        for hour in 0..=hours {
            time.advance(hour * HOUR_MS, CommitSequence(hour * 10), HOUR_MS);
        }
        assert!(time.marks.len() < 3500, "{}", time.marks.len());
        for age_h in [0, 1, 7, 24, 720, 8760, 87_000] {
            // Written in the middle of an hour.
            let real_ms = age_h * HOUR_MS + HOUR_MS / 2;
            let commit = CommitSequence((hours - age_h) * 10 - 5);
            let age_ms = time.age_ms(commit);
            assert!(age_ms <= real_ms, "{age_h} h: {age_ms}");
            assert!(age_ms + HOUR_MS + real_ms / 128 >= real_ms, "{age_h} h: {age_ms}");
        }
        assert_eq!(time.age_ms(CommitSequence(u64::MAX)), 0, "what came after the last mark has no age");
        let mut bytes = Vec::new();
        minicbor::encode(&time, &mut bytes).unwrap();
        assert!(bytes.len() < 64_000, "{}", bytes.len());
        assert_eq!(minicbor::decode::<ServiceTime>(&bytes).unwrap(), time);
    }

    /// I30: another release continues with it.
    #[test]
    fn service_time_keeps_its_encoding() {
        let mut time = ServiceTime::default();
        time.advance(0, CommitSequence(3), 5);
        time.advance(10, CommitSequence(70_000), 5);
        let mut bytes = Vec::new();
        minicbor::encode(&time, &mut bytes).unwrap();
        assert_eq!(bytes, b"\xa2\x00\x0a\x01\x82\x82\x00\x03\x82\x0a\x1a\x00\x01\x11\x70");
    }

    proptest! {
        #[test]
        fn an_age_is_a_lower_bound(
            steps in proptest::collection::vec((0u64..5000, 0u64..50), 1..200),
            spacing_ms in 1u64..3000,
        ) {
            let (mut time, mut now_ms, mut commit) = (ServiceTime::default(), 0, 1);
            let mut born = Vec::new();
            let mut ages: Vec<u64> = Vec::new();
            for (ms, commits) in steps {
                born.extend((0..commits).map(|n| (CommitSequence(commit + n), now_ms)));
                commit += commits;
                now_ms += ms;
                time.advance(now_ms, CommitSequence(commit - 1), spacing_ms);
                prop_assert_eq!(time.elapsed_ms(), now_ms);
                for (n, (commit, at_ms)) in born.iter().enumerate() {
                    let age_ms = time.age_ms(*commit);
                    prop_assert!(age_ms <= now_ms - at_ms, "{commit}: {age_ms}");
                    let before = ages.get(n).copied().unwrap_or(0);
                    // Thinning may make it look younger by a gap.
                    prop_assert!(age_ms + spacing_ms.max(now_ms / GAPS_PER_AGE) >= before);
                }
                ages = born.iter().map(|(commit, _)| time.age_ms(*commit)).collect();
            }
        }
    }
}
