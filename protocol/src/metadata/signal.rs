//! Messages to the leader that keep leases alive and carry health. They are not replicated: a new leader hears them anew.

use cairn_core::id::{CommitSequence, Epoch, SessionId};
use minicbor::{Decode, Encode};

use crate::storage::NodeStatus;

/// Something that the leader should know.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Signal {
    /// A gateway is alive and wants to keep its session.
    #[n(0)]
    RenewSession(#[n(0)] SessionId),
    /// A storage node is alive; the state of its disks.
    #[n(1)]
    Heartbeat(#[n(0)] NodeStatus),
}

/// The leader's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct SignalAnswer {
    /// The current epoch of the cluster map: fetch it if it is newer than yours.
    #[n(0)]
    pub map_epoch: Epoch,
    /// The newest commit, which storage nodes remember (I15).
    #[n(1)]
    pub commit: CommitSequence,
    /// For a session: whether it is still good.
    #[n(2)]
    pub session_valid: bool,
}
