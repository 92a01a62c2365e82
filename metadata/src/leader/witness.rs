//! What it means when Raft answers a write with "this member does not lead".
//!
//! It says so of entries that were never appended, and also of those that this member appended as the leader and removed when
//! the entries of another one came. Another member may still hold such an entry, and commits it if it is elected.

use cairn_core::id::MemberId;
use openraft::BasicNode;
use openraft::error::ForwardToLeader;

use super::error::LeaderError;
use crate::raft::{Raft, Vote};

/// This member before it was asked to write.
pub(super) struct Witness {
    me: MemberId,
    vote: Vote,
}

impl Witness {
    /// Takes the vote as it was published last. A vote only grows: if an old one is still in force after the write, so it was
    /// all the time.
    pub(super) fn before_write(raft: &Raft) -> Self {
        let metrics = raft.server_metrics();
        let metrics = metrics.borrow();
        Self { me: metrics.id, vote: metrics.vote }
    }

    /// The error for a write that Raft answered with `forward`: a definite no only if this member cannot have appended it.
    pub(super) async fn refusal(self, raft: &Raft, forward: ForwardToLeader<MemberId, BasicNode>) -> LeaderError {
        match raft.with_raft_state(|state| *state.vote_ref()).await {
            Ok(now) if never_led(self.me, self.vote, now) => {
                LeaderError::NotLeader(forward.leader_node.map(|node| node.addr))
            }
            Ok(_) => LeaderError::LostLead,
            Err(fatal) => LeaderError::RaftStopped(fatal.to_string()),
        }
    }
}

/// Whether a member with the vote `before`, and later the vote `after`, cannot have led at any time in between. To lead it must
/// vote for itself, and that vote must be granted, each of which changes the vote.
fn never_led(me: MemberId, before: Vote, after: Vote) -> bool {
    let led = before.is_committed() && before.leader_id().voted_for() == Some(me);
    before == after && !led
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_not_led_if_its_vote_stayed_and_is_not_its_own_lead() {
        let (me, other) = (MemberId(1), MemberId(2));
        let (stands, leads) = (Vote::new(5, me), Vote::new_committed(5, me));
        let (granted, follows) = (Vote::new(5, other), Vote::new_committed(5, other));
        for (before, after, expected) in [
            (Vote::default(), Vote::default(), true),
            (granted, granted, true),
            (follows, follows, true),
            (stands, stands, true),
            // It leads, or led when it was asked.
            (leads, leads, false),
            (leads, Vote::new_committed(6, other), false),
            // It may have led in between.
            (stands, leads, false),
            (stands, Vote::new_committed(6, other), false),
            (follows, Vote::new_committed(7, other), false),
            (follows, Vote::new(6, me), false),
        ] {
            assert_eq!(never_led(me, before, after), expected, "{before} {after}");
        }
    }
}
