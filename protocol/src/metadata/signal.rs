//! Messages to the leader that are no commands of the replicated state: leases and health, which every new leader hears
//! again.

use cairn_core::id::{CommitSequence, Epoch, HistoryId, SessionId};
use minicbor::{Decode, Encode};

use crate::storage::NodeStatus;

/// Something that the leader should know. Numbers from 10 on are those of [`super::OperatorRequest`].
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
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
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
    /// The internal RPC addresses of all members: clients reach a service whose members have all been replaced.
    #[n(3)]
    pub members: Option<Vec<String>>,
    /// The history that the newest commit belongs to, which storage nodes remember with it.
    #[n(4)]
    pub history: Option<HistoryId>,
    /// The history that was in force at the commit that a heartbeat names. Where it is another one than the node
    /// remembers, this service was put back from an old copy and has gone on since (I15).
    #[n(5)]
    pub history_then: Option<HistoryId>,
    /// For a heartbeat: whether the cluster map has the node and all disks that it reports. A node whose metadata was put back
    /// from before it registered registers again.
    #[n(6)]
    pub is_registered: Option<bool>,
}
