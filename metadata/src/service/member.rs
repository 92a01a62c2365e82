//! What the parts of a running member share.

use std::sync::{Arc, Weak};

use cairn_protocol::rpc::{HttpMetadata, RpcClient};
use tokio::sync::watch;

use crate::leader::Leader;
use crate::raft::Raft;
use crate::raft::admission::Admission;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;

/// A running member: the leader that it is or may become, and what it needs as one of several.
pub(crate) struct RunningMember {
    pub(super) leader: Arc<Leader>,
    pub(super) raft: Raft,
    pub(super) machine: Arc<Machine>,
    pub(super) log: LogStore,
    pub(super) admission: Arc<Admission>,
    pub(super) rpc: RpcClient,
    /// The service as a caller in this process reaches it where another member leads.
    pub(super) remote: HttpMetadata,
    pub(super) stop: watch::Sender<bool>,
    /// Tells whether the log's file is still open.
    pub(super) log_open: Weak<()>,
}
