//! Orders to delete shards.

use cairn_core::id::{CommitSequence, SessionId};
use cairn_core::shard::ShardId;
use minicbor::{Decode, Encode};

/// An order to delete shards, with the proof that nobody needs them (I13).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct DeleteOrder {
    /// Why they may go.
    #[n(0)]
    pub proof: DeleteProof,
    /// The shards.
    #[n(1)]
    pub shards: Vec<ShardId>,
}

/// Why shards may be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum DeleteProof {
    /// Committed metadata says that nothing refers to them. Refused if older than what the node has seen (I15).
    #[n(0)]
    Committed(#[n(0)] CommitSequence),
    /// The gateway that wrote them, in this session, gave the write up before it asked for a commit.
    #[n(1)]
    Aborted(#[n(0)] SessionId),
}
