//! openraft's types, as this service fills them in.

use std::sync::Arc;

use cairn_core::id::MemberId;

use super::proposal::{Applied, Proposal};
use super::snapshot::SnapshotData;

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
