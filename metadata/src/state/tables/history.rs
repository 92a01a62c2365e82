//! Which history the state belongs to. It is one row in the table of [`super::meta`].
//!
//! A commit number alone does not identify a state: a store restored from an old copy issues the same numbers again
//! for other changes. So every leader begins its term with a random id, in force from its first commit on. Whoever
//! remembers a commit together with the id that was in force can tell whether the state it talks to has gone through
//! that commit (I15).

use cairn_core::id::{CommitSequence, HistoryId};
use minicbor::{Decode, Encode};

use super::Row;

/// Marks kept, one per term. Nothing is known of commits older than all of them.
const MARKS_MAX: usize = 1024;

#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub(crate) struct History {
    /// Where the cluster last began again after a recovery. What came before was given up openly and is not compared.
    #[n(0)]
    pub(crate) began: CommitSequence,
    /// From which commit on each id is in force, in commit order.
    #[n(1)]
    marks: Vec<(CommitSequence, HistoryId)>,
}

impl Row for History {
    const TABLE: &'static str = "meta";
}

impl History {
    /// The history of a cluster that begins again at `commit`.
    pub(crate) fn begin(commit: CommitSequence) -> Self {
        Self { began: commit, marks: Vec::new() }
    }

    /// From `commit` on, `id` is in force.
    pub(crate) fn mark(&mut self, commit: CommitSequence, id: HistoryId) {
        self.marks.push((commit, id));
        let surplus = self.marks.len().saturating_sub(MARKS_MAX);
        self.marks.drain(..surplus);
    }

    /// The id that was in force at `commit`; `None` if it is no longer known, or the commit was given up.
    pub(crate) fn at(&self, commit: CommitSequence) -> Option<HistoryId> {
        if commit < self.began {
            return None;
        }
        let behind = self.marks.partition_point(|(begin, _)| *begin <= commit);
        behind.checked_sub(1).and_then(|last| self.marks.get(last)).map(|(_, id)| *id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> HistoryId {
        HistoryId::from_bytes([n; 16])
    }

    /// I15: a state that was put back and then went on has another id at a commit that someone has seen.
    #[test]
    fn a_state_that_went_back_and_on_differs_from_the_real_one() {
        let mut real = History::default();
        real.mark(CommitSequence(10), id(1));
        let copy = real.clone();
        real.mark(CommitSequence(20), id(2));
        let mut rolled_back = copy;
        rolled_back.mark(CommitSequence(15), id(3));
        let seen = (CommitSequence(25), Some(id(2)));
        assert_eq!(real.at(seen.0), seen.1);
        assert_ne!(rolled_back.at(seen.0), seen.1);
        assert_eq!(rolled_back.at(CommitSequence(12)), Some(id(1)), "what they share is the same");
        assert_eq!(real.at(CommitSequence(9)), None);
        let openly = History { began: CommitSequence(1000), ..rolled_back };
        assert_eq!(openly.at(seen.0), None, "what was given up openly is not compared");
    }

    #[test]
    fn the_oldest_marks_are_forgotten() {
        let mut history = History::default();
        for n in 0..2 * MARKS_MAX as u64 {
            history.mark(CommitSequence(10 * n), id((n % 251) as u8));
        }
        assert_eq!((history.marks.len(), history.at(CommitSequence(5))), (MARKS_MAX, None));
        assert_eq!(history.at(CommitSequence(20 * MARKS_MAX as u64)), Some(id(((2 * MARKS_MAX - 1) % 251) as u8)));
    }
}
