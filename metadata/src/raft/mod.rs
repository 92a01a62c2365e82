//! Raft: openraft over a log and a state machine in redb, and the network between members.

pub(crate) mod calls;
pub(crate) mod codec;
#[cfg(test)]
mod crash;
pub(crate) mod entry;
pub(crate) mod log_store;
pub(crate) mod log_writer;
pub(crate) mod machine;
pub(crate) mod message;
pub(crate) mod network;
pub(crate) mod snapshot;
mod state_machine;
#[cfg(test)]
mod suite;

use std::sync::Arc;

use entry::{Applied, Proposal};
use snapshot::SnapshotData;

/// A member of the metadata service.
pub type MemberId = u64;

openraft::declare_raft_types!(
    pub(crate) TypeConfig:
        D = Arc<Proposal>,
        R = Applied,
        NodeId = MemberId,
        Node = openraft::BasicNode,
        SnapshotData = SnapshotData,
);

pub(crate) type Raft = openraft::Raft<TypeConfig>;
pub(crate) type Entry = openraft::Entry<TypeConfig>;
pub(crate) type LogId = openraft::LogId<MemberId>;
pub(crate) type Vote = openraft::Vote<MemberId>;
pub(crate) type StorageError = openraft::StorageError<MemberId>;
pub(crate) type SnapshotMeta = openraft::SnapshotMeta<MemberId, openraft::BasicNode>;
pub(crate) type StoredMembership = openraft::StoredMembership<MemberId, openraft::BasicNode>;
