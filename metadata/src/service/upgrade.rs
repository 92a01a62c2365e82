//! What the processes of the cluster run, and raising the feature level.

use cairn_core::id::MemberId;
use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::Rejection;
use cairn_protocol::metadata::command::RaiseLevel;
use cairn_protocol::metadata::query::{ProcessRelease, ProcessRole, UpgradeStatus};

use super::member::RunningMember;
use crate::leader::LeaderError;
use crate::state::commands::processes;

impl RunningMember {
    /// Which releases run. Members are asked; storage nodes and gateways said it when they registered.
    pub(super) async fn upgrade_status(&self) -> Result<UpgradeStatus, LeaderError> {
        let map = self.machine.map().ok_or(LeaderError::NotReady)?;
        let nodes = self.leader.members().addresses();
        let releases = self.releases(&nodes).await;
        let member = |id: &MemberId| {
            let (role, name) = (ProcessRole::Member, id.to_string());
            ProcessRelease { role, name, release: releases.get(id).cloned() }
        };
        let level = map.level;
        let others = self.leader.read(move |view| processes(&map, &view.sessions()?)).await?;
        let processes = nodes.keys().map(member).chain(others).collect();
        Ok(UpgradeStatus { level, next: FeatureLevel::NEWEST.max(level), processes })
    }

    /// Raises the cluster to the highest level of this release. Refused while a process does not support it.
    ///
    /// A member that is replaced by an earlier release after it has answered here takes no part from the raise on, and says so.
    pub(super) async fn finalize_upgrade(&self) -> Result<(), LeaderError> {
        let status = self.upgrade_status().await?;
        let behind: Vec<String> = status.behind().map(ToString::to_string).collect();
        if !behind.is_empty() {
            let why = format!("the cluster stays at feature level {}: {}", status.level, behind.join("; "));
            return Err(LeaderError::Rejected(Rejection::OtherRelease(why)));
        }
        if status.next > status.level {
            self.leader.execute(RaiseLevel { to: status.next }.into()).await?;
            tracing::info!(from = %status.level, to = %status.next, "the cluster has a higher feature level");
        }
        Ok(())
    }
}
