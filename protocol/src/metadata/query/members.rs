//! The query on the metadata service's own members.

use cairn_core::id::{CommitSequence, DiskNumber, SessionId};
use minicbor::{Decode, Encode};

use super::ReconcileTotals;

/// The members of the metadata service, as the leader sees them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetMembers {}

/// The answer to [`GetMembers`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberTable {
    /// The members by number.
    #[n(0)]
    pub members: Vec<MemberEntry>,
    /// The term of the lead.
    #[n(1)]
    pub term: u64,
    /// The leader's last log entry.
    #[n(2)]
    pub last_log: u64,
    /// Whether a change of the membership is under way.
    #[n(3)]
    pub is_changing: bool,
    /// Present while a restored service deletes nothing.
    #[n(4)]
    pub restored: Option<RestoreHold>,
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberEntry {
    #[n(0)]
    pub member: u64,
    /// `host:port` of its internal RPC.
    #[n(1)]
    pub addr: String,
    /// Its part in the group.
    #[n(2)]
    pub role: MemberRole,
    /// The last log entry that it is known to hold; nothing if it has not answered since the leader began.
    #[n(3)]
    pub matched: Option<u64>,
    /// Whether it answers right now.
    #[n(4)]
    pub answers: bool,
}

/// The part of a member in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum MemberRole {
    /// Votes, and leads.
    #[n(0)]
    Leader,
    /// Votes.
    #[n(1)]
    Voter,
    /// Learns the state, and will vote once it has.
    #[n(2)]
    Learner,
}

/// A restored service deletes nothing before somebody has compared it with the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RestoreHold {
    /// The newest commit in the backup: what came after it is not in the service.
    #[n(0)]
    pub backup_commit: CommitSequence,
    /// Sessions below this one are from before the restoration: their shards are kept.
    #[n(1)]
    pub sessions_before: u64,
    /// What the comparison with the disks came to; nothing before it has ended.
    #[n(2)]
    pub reconciled: Option<ReconcileTotals>,
    /// Deletions go on by themselves on the disks below this number: all that they hold was proven. What a disk brings
    /// along that joined later is kept until the operator resumes deletions.
    #[n(3)]
    pub released_below: Option<DiskNumber>,
}

impl RestoreHold {
    /// The hold of a service that begins a new life.
    pub fn new(backup_commit: CommitSequence, sessions_before: u64) -> Self {
        Self { backup_commit, sessions_before, reconciled: None, released_below: None }
    }

    /// Whether shards of `session` on `disk` are kept, whatever the tables say of them.
    pub fn keeps(&self, session: SessionId, disk: Option<DiskNumber>) -> bool {
        let released = self.released_below.is_some_and(|below| disk.is_some_and(|disk| disk < below));
        session.number() < self.sessions_before && !released
    }
}
