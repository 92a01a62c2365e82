//! How the leader takes signals: leases and heartbeats, which are remembered and not replicated.

use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, step};
use cairn_core::id::{Epoch, HistoryId, NodeId, SessionId};
use cairn_protocol::metadata::{Signal, SignalAnswer};
use cairn_protocol::storage::{DiskStatus, NodeStatus, SeenCommit};

use super::member::RunningMember;
use crate::leader::{Heard, Leader, LeaderError};
use crate::state::tables::history::History;
use crate::state::tables::{meta, sessions};

impl RunningMember {
    /// Takes a signal, if this member leads.
    pub(super) async fn signal(&self, signal: Signal) -> Result<SignalAnswer, LeaderError> {
        self.check_heard()?;
        self.leader.confirm_lead().await?;
        self.leader.begin_history().await?;
        match signal {
            Signal::RenewSession(session) => {
                let session_valid = renew(&self.leader, session).await?;
                Ok(SignalAnswer { session_valid, ..self.signal_answer().await? })
            }
            Signal::Heartbeat(status) => {
                let history = history(&self.leader).await?;
                let seen = SeenCommit::of(self.leader.commit().group(), &status.seen).copied();
                let history_then = seen.and_then(|seen| history.at(seen.commit));
                check_history(status.node, seen.and_then(|seen| seen.history), history_then);
                let map = self.leader.map();
                let is_registered = map.as_deref().map(|map| knows(map, &status));
                note(&self.leader, map.as_deref(), status);
                Ok(SignalAnswer { history_then, is_registered, ..self.signal_answer().await? })
            }
        }
    }

    /// The leader's answer to a request that is not a signal.
    pub(super) async fn signal_answer(&self) -> Result<SignalAnswer, LeaderError> {
        // The commit before the view: the view has every mark up to it, and a later one is not its history.
        let commit = self.leader.commit();
        let history = history(&self.leader).await?;
        Ok(SignalAnswer {
            map_epoch: self.leader.map().map_or(Epoch(0), |map| map.epoch),
            commit,
            session_valid: false,
            members: Some(self.leader.members().addresses().into_values().collect()),
            history: history.at(commit),
            history_then: None,
            is_registered: None,
        })
    }
}

async fn history(leader: &Leader) -> Result<History, LeaderError> {
    Ok(leader.read(|view| meta::get(&view.meta()?, meta::HISTORY)).await?.unwrap_or_default())
}

/// Renews the lease of a session; returns whether the session is open.
async fn renew(leader: &Leader, session: SessionId) -> Result<bool, LeaderError> {
    let is_open = leader.read(move |view| sessions::is_open(&view.sessions()?, session)).await?;
    if is_open {
        let now = leader.now();
        leader.memory().renewed.insert(session, now);
    }
    Ok(is_open)
}

/// Whether the map has the node and its disks.
fn knows(map: &ClusterMap, status: &NodeStatus) -> bool {
    map.node(status.node).is_some() && status.disks.iter().all(|disk| map.disk_by_id(disk.disk).is_some())
}

/// Stores a node's report, and wakes the jobs if a disk's state differs from the map.
fn note(leader: &Leader, map: Option<&ClusterMap>, status: NodeStatus) {
    let differs = map.is_some_and(|map| {
        let news = |known: &Disk, seen| step(known, DiskEvent::Seen(seen)).is_ok_and(|(_, s)| s != known.state);
        let known = |seen: &DiskStatus| map.disk_by_id(seen.disk).is_some_and(|d| news(d, seen.state));
        status.disks.iter().any(known)
    });
    let now = leader.now();
    leader.memory().heard.insert(status.node, Heard { at: now, status: Some(status) });
    if differs {
        leader.wake_jobs();
    }
}

/// Logs where a node has seen another history than this service has (I15).
fn check_history(node: NodeId, history: Option<HistoryId>, history_then: Option<HistoryId>) {
    if history.is_some() && history_then.is_some() && history_then != history {
        tracing::error!(
            %node,
            "a storage node has seen a history that this metadata service does not have: the service was put back from an \
             old copy. Nothing is deleted there; put the newest copy back, or run `cairn metadata recover`"
        );
    }
}
