//! Who is alive: ends the sessions of silent gateways, and keeps the states of disks in the map.

use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::metadata::command::{EndSession, SetDiskStates};

use super::job::Job;
use super::{health, leases};
use crate::leader::{Leader, LeaderError};
use crate::state::tables::sessions;

pub(super) struct Liveness {
    /// Time without a renewal after which a session ends.
    pub(super) session_lease: Duration,
    /// Time without a heartbeat after which a node is silent.
    pub(super) node_silence: Duration,
}

impl Job for Liveness {
    const NAME: &'static str = "liveness";

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        let (sessions, disks) = tokio::join!(self.end_sessions(leader), self.set_disk_states(leader));
        sessions.and(disks).map(|()| false)
    }
}

impl Liveness {
    async fn end_sessions(&self, leader: &Leader) -> Result<(), LeaderError> {
        let open = leader.read(|view| sessions::all(&view.sessions()?)).await?;
        let open: Vec<_> = open.into_iter().map(|(id, _)| id).collect();
        let now = leader.now();
        let expired = {
            let mut memory = leader.memory();
            memory.renewed.retain(|session, _| open.contains(session));
            leases::expired(&open, &memory, now, self.session_lease)
        };
        for session in expired {
            tracing::warn!(%session, "a gateway did not renew its session; ending the session");
            leader.execute(EndSession { session }.into()).await?;
        }
        Ok(())
    }

    async fn set_disk_states(&self, leader: &Leader) -> Result<(), LeaderError> {
        let Some(map) = leader.map() else { return Ok(()) };
        let states = health::changes(&map, &leader.memory(), leader.now(), self.node_silence);
        if states.is_empty() {
            return Ok(());
        }
        for (disk, state) in &states {
            tracing::info!(%disk, %state, "changing the state of a disk");
        }
        leader.execute(SetDiskStates { states }.into()).await.map(drop)
    }
}
