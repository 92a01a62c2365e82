//! The query for the metadata service's own members.

use cairn_core::id::{CommitSequence, DiskNumber, MemberId, SessionId};
use minicbor::{Decode, Encode};

use super::ReconcileTotals;

/// The members of the metadata service, as the leader sees them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GetMembers {}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberTable {
    /// Ordered by number.
    #[n(0)]
    pub members: Vec<MemberEntry>,
    /// The leader's Raft term.
    #[n(1)]
    pub term: u64,
    #[n(2)]
    pub last_log: u64,
    /// Whether the membership is being changed.
    #[n(3)]
    pub is_changing: bool,
    /// `Some` while a restored service deletes nothing.
    #[n(4)]
    pub restored: Option<RestoreHold>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MemberEntry {
    #[n(0)]
    pub member: MemberId,
    /// `host:port` of its internal RPC.
    #[n(1)]
    pub addr: String,
    #[n(2)]
    pub role: MemberRole,
    /// The last log entry that it is known to hold; `None` if it has not answered this leader yet.
    #[n(3)]
    pub matched: Option<u64>,
    /// Whether it answers at present.
    #[n(4)]
    pub answers: bool,
}

/// The role of a member in the Raft group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum MemberRole {
    /// Votes and leads.
    #[n(0)]
    Leader,
    #[n(1)]
    Voter,
    /// Copies the state, and votes once it has it.
    #[n(2)]
    Learner,
}

/// A restored service deletes nothing until it was compared with the disks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RestoreHold {
    /// The newest commit in the backup. Later ones are missing from the service.
    #[n(0)]
    pub backup_commit: CommitSequence,
    /// Sessions below this one are older than the restore: their shards are kept.
    #[n(1)]
    pub sessions_before: u64,
    /// The result of the comparison with the disks; `None` until it has ended.
    #[n(2)]
    pub reconciled: Option<ReconcileTotals>,
    /// Deletions have resumed on the disks below this number, because everything on them was proven. Shards on disks
    /// that joined later are kept until the operator resumes deletions.
    #[n(3)]
    pub released_below: Option<DiskNumber>,
}

impl RestoreHold {
    /// The hold of a service that was just restored.
    pub fn new(backup_commit: CommitSequence, sessions_before: u64) -> Self {
        Self { backup_commit, sessions_before, reconciled: None, released_below: None }
    }

    /// Whether shards of `session` on `disk` are kept, whatever the tables say about them.
    pub fn keeps(&self, session: SessionId, disk: Option<DiskNumber>) -> bool {
        let released = self.released_below.is_some_and(|below| disk.is_some_and(|disk| disk < below));
        session.number() < self.sessions_before && !released
    }
}
