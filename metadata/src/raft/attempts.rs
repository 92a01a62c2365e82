//! Which of the attempts to send this member a snapshot counts. A leader that is replaced, starts again or begins anew leaves chunks
//! on their way, which arrive among those of its successor: they must not end what the successor sends.

use std::collections::VecDeque;

use cairn_protocol::rpc::ClientId;
use minicbor::{Decode, Encode};

use super::types::Vote;

/// Processes of one leader that are remembered. A process sends as the leader of one term only after it has started again.
const PROCESSES_MAX: usize = 16;

/// One attempt of a leader to send a snapshot to a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Attempt {
    /// Drawn when the leader's process started.
    #[n(0)]
    pub(crate) process: ClientId,
    /// Counts the attempts of the process.
    #[n(1)]
    pub(crate) number: u64,
}

/// Who sends: as whose leader, and in which attempt; a leader of an earlier release does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sender {
    pub(crate) vote: Vote,
    pub(crate) attempt: Option<Attempt>,
}

/// How a sender stands to the newest one that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Another one has taken its place.
    Replaced,
    /// It is the newest.
    Same,
    /// It takes the place of the newest.
    Newer,
}

/// The senders that a member has heard.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    newest: Option<Sender>,
    /// The last attempts of other processes of the same leader.
    before: VecDeque<Attempt>,
}

impl Senders {
    /// A higher vote is newer, and of one leader the later attempt. Which of two processes of a leader is newer nobody can tell:
    /// the one that is heard for the first time takes the other's place, and that one has to begin again.
    pub(crate) fn standing(&self, sender: &Sender) -> Standing {
        let Some(newest) = &self.newest else { return Standing::Newer };
        if sender.vote != newest.vote {
            return if sender.vote > newest.vote { Standing::Newer } else { Standing::Replaced };
        }
        let (Some(attempt), Some(known)) = (sender.attempt, newest.attempt) else {
            return if sender.attempt == newest.attempt { Standing::Same } else { Standing::Newer };
        };
        if attempt == known {
            return Standing::Same;
        }
        let known = self.before.iter().chain([&known]).find(|one| one.process == attempt.process);
        if known.is_some_and(|known| attempt.number <= known.number) { Standing::Replaced } else { Standing::Newer }
    }

    /// `sender` takes the place of the newest one.
    pub(crate) fn follow(&mut self, sender: Sender) {
        let before = self.newest.replace(sender);
        if before.is_none_or(|before| before.vote != sender.vote) {
            self.before.clear();
            return;
        }
        let process = |attempt: Option<Attempt>| attempt.map(|attempt| attempt.process);
        self.before.retain(|one| Some(one.process) != process(sender.attempt));
        let before = before.and_then(|before| before.attempt);
        if let Some(before) = before.filter(|before| Some(before.process) != process(sender.attempt)) {
            self.before.push_back(before);
        }
        if self.before.len() > PROCESSES_MAX {
            self.before.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::id::MemberId;

    fn sender(term: u64, process: u8, number: u64) -> Sender {
        let attempt = Some(Attempt { process: ClientId::from_bytes([process; 16]), number });
        Sender { vote: Vote::new_committed(term, MemberId(1)), attempt }
    }

    #[test]
    fn the_newer_sender_wins_and_none_comes_back() {
        let mut senders = Senders::default();
        let check = |senders: &Senders, sender: Sender, expected| {
            assert_eq!(senders.standing(&sender), expected, "{sender:?} after {:?}", senders.newest);
        };
        check(&senders, sender(5, 1, 7), Standing::Newer);
        senders.follow(sender(5, 1, 7));
        check(&senders, sender(5, 1, 7), Standing::Same);
        check(&senders, sender(5, 1, 6), Standing::Replaced);
        check(&senders, sender(4, 1, 9), Standing::Replaced);
        check(&senders, sender(5, 1, 8), Standing::Newer);
        check(&senders, sender(6, 2, 0), Standing::Newer);
        // The leader starts again within its term, and counts from 0.
        check(&senders, sender(5, 2, 0), Standing::Newer);
        senders.follow(sender(5, 2, 0));
        check(&senders, sender(5, 1, 7), Standing::Replaced);
        check(&senders, sender(5, 1, 8), Standing::Newer);
        // What the process before had sent arrives late: the one that runs begins again and wins.
        senders.follow(sender(5, 1, 8));
        check(&senders, sender(5, 2, 0), Standing::Replaced);
        senders.follow(sender(5, 2, 1));
        check(&senders, sender(5, 1, 8), Standing::Replaced);
        senders.follow(sender(6, 1, 0));
        check(&senders, sender(5, 2, 9), Standing::Replaced);
        assert!(senders.before.is_empty());
    }

    #[test]
    fn the_attempts_of_an_earlier_release_are_not_told_apart() {
        let mut senders = Senders::default();
        let old = Sender { attempt: None, ..sender(5, 1, 0) };
        senders.follow(old);
        assert_eq!(senders.standing(&old), Standing::Same);
        assert_eq!(senders.standing(&sender(5, 1, 0)), Standing::Newer);
        senders.follow(sender(5, 1, 0));
        assert_eq!(senders.standing(&old), Standing::Newer);
    }

    #[test]
    fn few_processes_are_remembered() {
        let mut senders = Senders::default();
        for process in 0..100 {
            senders.follow(sender(5, process, 3));
            assert!(senders.before.len() <= PROCESSES_MAX);
        }
        assert_eq!(senders.standing(&sender(5, 98, 3)), Standing::Replaced);
    }
}
