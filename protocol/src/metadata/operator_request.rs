//! What an operator asks of the leader: changes of the service's own membership, which Raft replicates by itself, and
//! the end of a restored service's hold.

use cairn_core::id::MemberId;
use minicbor::{Decode, Encode};

/// A request of an operator. It shares the path of [`super::Signal`], and its numbers begin where those end.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum OperatorRequest {
    /// Adds a member of the metadata service: it learns the state first and votes once it has.
    #[n(10)]
    AddMember(#[n(0)] MemberAddress),
    /// Removes a member of the metadata service. Refused where what is left would have no majority that is alive.
    #[n(11)]
    RemoveMember(#[n(0)] MemberId),
    /// Makes another member lead.
    #[n(12)]
    TransferLead(#[n(0)] MemberId),
    /// The operator says that a restored service has been compared with the disks: deletions may go on.
    #[n(13)]
    EndRestoreHold,
    /// Raises the cluster to the highest feature level of the leader's release. Refused while a process does not support it.
    #[n(14)]
    FinalizeUpgrade,
}

impl OperatorRequest {
    /// The lowest number of a request; signals have lower ones.
    pub const FIRST_NUMBER: u32 = 10;
}

/// Where a member of the metadata service is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct MemberAddress {
    /// Its number, never used by another member at the same time.
    #[n(0)]
    pub member: MemberId,
    /// `host:port` of its internal RPC.
    #[n(1)]
    pub addr: String,
}
