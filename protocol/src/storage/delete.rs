//! Orders to delete shards.

use cairn_core::id::{CommitSequence, GroupId, SessionId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

/// An order to delete shards, with the proof that no object needs them (I13).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeleteOrder {
    #[n(0)]
    pub proof: DeleteProof,
    #[n(1)]
    pub shards: Vec<ShardId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum DeleteProof {
    /// Nothing in the metadata refers to them as of this commit. Refused if the node has seen a newer one (I15).
    #[n(0)]
    Committed(#[n(0)] CommitSequence),
    /// The gateway that wrote them in this session says that they will not be committed. The node does not believe it: the
    /// metadata service must have given them up.
    #[n(1)]
    Aborted(#[n(0)] SessionId),
}

impl DeleteProof {
    /// The group of the metadata service that it is about. It proves nothing of extents of other groups' sessions.
    pub const fn group(&self) -> GroupId {
        match self {
            Self::Committed(commit) => commit.group(),
            Self::Aborted(session) => session.group(),
        }
    }
}
