//! Decides whether a history of one key is linearizable (I19): whether every operation can be given one moment between
//! its call and its answer at which it took effect, such that every answer follows from what took effect before it.
//!
//! Wing and Gong's search with Lowe's memory of visited configurations. An operation without an answer may have taken
//! effect at any moment after its call, or never.

use std::collections::HashSet;

/// What a key holds, `None` if it is absent. No two writes of one key have the same value.
pub type Value = Option<u64>;

/// An operation on one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Sets the key unconditionally. `None` deletes it.
    Write(Value),
    /// Sets the key if it holds `expected`.
    WriteIf {
        /// What the key must hold.
        expected: Value,
        /// What it holds then.
        value: u64,
    },
    Read,
}

/// What the caller got back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Done,
    ConditionFailed,
    /// The key held this.
    Found(Value),
    /// No answer: it may or may not have been done.
    Unknown,
}

/// One call, with its times by one clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    pub operation: Operation,
    pub answer: Answer,
    /// Nanoseconds on the shared clock.
    pub called_ns: u64,
    /// Nanoseconds on the same clock. Meaningless for [`Answer::Unknown`].
    pub answered_ns: u64,
}

/// The result of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Linearizable,
    Violation,
    /// The search was abandoned after too many configurations.
    TooHard,
}

/// Configurations visited before the search is abandoned.
const CONFIGURATIONS_MAX: usize = 4_000_000;

impl Call {
    /// What the key holds after the call, if the call may take effect where it holds `state`.
    fn apply(&self, state: Value) -> Option<Value> {
        match (self.operation, self.answer) {
            (Operation::Write(value), Answer::Done | Answer::Unknown) => Some(value),
            (Operation::WriteIf { expected, value }, Answer::Done | Answer::Unknown) => {
                (state == expected).then_some(Some(value))
            }
            (Operation::WriteIf { expected, .. }, Answer::ConditionFailed) => (state != expected).then_some(state),
            (Operation::Read, Answer::Found(found)) => (state == found).then_some(state),
            _ => None,
        }
    }

    fn is_open(&self) -> bool {
        self.answer == Answer::Unknown
    }
}

/// A set of calls, by index.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Set(Vec<u64>);

impl Set {
    fn contains(&self, index: usize) -> bool {
        self.0[index / 64] & (1 << (index % 64)) != 0
    }

    fn with(&self, index: usize) -> Self {
        let mut words = self.0.clone();
        words[index / 64] |= 1 << (index % 64);
        Self(words)
    }
}

/// Whether the calls on one key, absent at first, are linearizable.
pub fn check(calls: &[Call]) -> Verdict {
    // A read without an answer says nothing.
    let mut calls: Vec<Call> =
        calls.iter().filter(|call| !(call.is_open() && call.operation == Operation::Read)).copied().collect();
    calls.sort_by_key(|call| call.called_ns);
    let answered = calls.iter().filter(|call| !call.is_open()).count();
    let mut seen: HashSet<(Set, Value)> = HashSet::new();
    // What has taken effect, what the key holds then, and how many of the answered calls are among it.
    let mut stack: Vec<(Set, Value, usize)> = vec![(Set(vec![0; calls.len().div_ceil(64).max(1)]), None, 0)];
    while let Some((done, state, count)) = stack.pop() {
        if count == answered {
            return Verdict::Linearizable;
        }
        if seen.len() > CONFIGURATIONS_MAX {
            return Verdict::TooHard;
        }
        // The next to take effect was called before any that is still to take effect was answered.
        let rest = || calls.iter().enumerate().filter(|(index, _)| !done.contains(*index));
        let limit = rest().filter(|(_, call)| !call.is_open()).map(|(_, call)| call.answered_ns).min();
        let limit = limit.unwrap_or(u64::MAX);
        // In reverse, so that the search tries the order of the calls first.
        let candidates: Vec<(usize, &Call)> = rest().take_while(|(_, call)| call.called_ns <= limit).collect();
        for (index, call) in candidates.into_iter().rev() {
            let Some(next) = call.apply(state) else { continue };
            let configuration = (done.with(index), next);
            if seen.insert(configuration.clone()) {
                stack.push((configuration.0, next, count + usize::from(!call.is_open())));
            }
        }
    }
    Verdict::Violation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: Operation, answer: Answer, called_ns: u64, answered_ns: u64) -> Call {
        Call { operation, answer, called_ns, answered_ns }
    }

    fn write(value: u64, from: u64, to: u64) -> Call {
        call(Operation::Write(Some(value)), Answer::Done, from, to)
    }

    fn lost(operation: Operation, from: u64) -> Call {
        call(operation, Answer::Unknown, from, 0)
    }

    fn delete(from: u64, to: u64) -> Call {
        call(Operation::Write(None), Answer::Done, from, to)
    }

    fn read(found: Value, from: u64, to: u64) -> Call {
        call(Operation::Read, Answer::Found(found), from, to)
    }

    fn create(value: u64, answer: Answer, from: u64, to: u64) -> Call {
        call(Operation::WriteIf { expected: None, value }, answer, from, to)
    }

    #[test]
    fn good_histories_pass() {
        for history in [
            vec![],
            vec![read(None, 1, 2), write(1, 3, 4), read(Some(1), 5, 6), delete(7, 8), read(None, 9, 10)],
            // Concurrent writes: either order, but one for all.
            vec![write(1, 1, 9), write(2, 2, 8), read(Some(1), 10, 11), read(Some(1), 12, 13)],
            // A read beside a write sees it or not.
            vec![write(1, 1, 2), write(2, 5, 9), read(Some(1), 6, 7), read(Some(2), 7, 8)],
            // A lost write may take effect late, or never.
            vec![lost(Operation::Write(Some(1)), 1), read(None, 2, 3), read(Some(1), 50, 51)],
            vec![lost(Operation::Write(Some(1)), 1), read(None, 2, 3), write(2, 4, 5), read(Some(2), 6, 7)],
            vec![create(1, Answer::Done, 1, 5), create(2, Answer::ConditionFailed, 2, 3), read(Some(1), 6, 7)],
            vec![lost(Operation::Read, 1), write(1, 2, 3)],
        ] {
            assert_eq!(check(&history), Verdict::Linearizable, "{history:?}");
        }
    }

    #[test]
    fn known_bad_histories_are_found() {
        for (what, history) in [
            ("a stale read", vec![write(1, 1, 2), write(2, 3, 4), read(Some(1), 5, 6)]),
            ("a lost write", vec![write(1, 1, 2), read(None, 3, 4)]),
            ("a value that was never written", vec![write(1, 1, 2), read(Some(9), 3, 4)]),
            ("a read that goes back", vec![write(1, 1, 9), read(Some(1), 2, 3), read(None, 4, 5)]),
            ("a deletion that took effect twice", vec![write(1, 1, 2), delete(3, 4), write(2, 5, 6), read(None, 7, 8)]),
            ("two winners", vec![create(1, Answer::Done, 1, 5), create(2, Answer::Done, 2, 6), read(Some(1), 7, 8)]),
            ("a winner that got a failed condition", vec![create(1, Answer::ConditionFailed, 1, 2)]),
            ("deleted data that reappears", vec![write(1, 1, 2), delete(3, 4), read(None, 5, 6), read(Some(1), 7, 8)]),
            (
                "a lost write that took effect twice",
                vec![lost(Operation::Write(Some(1)), 1), read(Some(1), 2, 3), write(2, 4, 5), read(Some(1), 6, 7)],
            ),
            (
                "two orders of concurrent writes",
                vec![write(1, 1, 9), write(2, 2, 8), read(Some(1), 10, 11), read(Some(2), 12, 13)],
            ),
        ] {
            assert_eq!(check(&history), Verdict::Violation, "{what}: {history:?}");
        }
    }

    /// A long history with many operations that have no answer.
    #[test]
    fn long_histories_with_lost_writes_are_decided() {
        let mut history = Vec::new();
        for n in 0..200u64 {
            history.push(write(n, 10 * n, 10 * n + 8));
            history.push(read(Some(n), 10 * n + 9, 10 * n + 9));
            if n % 40 == 0 {
                history.push(lost(Operation::Write(Some(1000 + n)), 10 * n));
            }
        }
        assert_eq!(check(&history), Verdict::Linearizable);
        history.push(read(Some(100), 5000, 5001));
        assert_eq!(check(&history), Verdict::Violation);
    }
}
