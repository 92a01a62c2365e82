//! How the leader answers queries: from the tables, and from its memory of this term.

use std::sync::Arc;

use cairn_protocol::metadata::query::{ClusterStatus, OffProfilePage, RebalanceStatus};
use cairn_protocol::metadata::{Answer, Query};
use redb::ReadableTableMetadata;

use super::member::RunningMember;
use crate::error::StoreError;
use crate::jobs::repair::{forecast, shares};
use crate::leader::{Heard, Leader, LeaderError};
use crate::state::queries;
use crate::state::tables::{View, rebalance, usage};

impl RunningMember {
    /// Answers a query, if this member leads.
    pub(super) async fn query(&self, query: Query) -> Result<Answer, LeaderError> {
        self.check_heard()?;
        self.leader.confirm_lead().await?;
        self.leader.saw_query(&query);
        if matches!(query, Query::GetMembers(_)) {
            return self.member_table().await.map(Answer::Members);
        }
        if matches!(query, Query::GetUpgrade(_)) {
            return self.upgrade_status().await.map(Answer::Upgrade);
        }
        if let Some(answer) = answer_at_once(&self.leader, &query) {
            return Ok(answer);
        }
        let leader = Arc::clone(&self.leader);
        self.leader.read(move |view| answer(&leader, view, query)).await
    }
}

/// Answers queries that need no table.
fn answer_at_once(leader: &Leader, query: &Query) -> Option<Answer> {
    match query {
        Query::GetClusterMap(query) => {
            let map = leader.map().filter(|map| map.epoch > query.known);
            Some(Answer::ClusterMap(map.map(|map| map.as_ref().clone())))
        }
        Query::GetRepairStatus(_) => Some(Answer::RepairStatus(leader.repair().answer())),
        Query::GetVerification(query) => Some(Answer::Verification(leader.repair().verification(query.start))),
        _ => None,
    }
}

fn answer(leader: &Leader, view: &View, query: Query) -> Result<Answer, LeaderError> {
    match query {
        Query::GetRebalance(query) => Ok(Answer::Rebalance(rebalance_status(leader, view, query.survey)?)),
        query => match queries::answer(view, query)? {
            Some(Answer::OffProfile(page)) => {
                Ok(Answer::OffProfile(OffProfilePage { is_waiting: leader.repair().is_busy(), ..page }))
            }
            Some(answer) => Ok(answer),
            None => Ok(Answer::ClusterStatus(cluster_status(leader, view)?)),
        },
    }
}

fn rebalance_status(leader: &Leader, view: &View, survey: bool) -> Result<RebalanceStatus, StoreError> {
    let record = rebalance::get(&view.meta()?)?;
    let mut status = RebalanceStatus { record, ..leader.repair().rebalance() };
    status.is_waiting |= status.record.as_ref().is_some_and(|record| record.reencodes) && leader.repair().is_busy();
    if let Some(map) = leader.map().filter(|_| survey) {
        let (balance, forecast) = forecast(view, &map)?;
        (status.disks, status.forecast) = (shares(&balance), Some(forecast));
    }
    Ok(status)
}

fn cluster_status(leader: &Leader, view: &View) -> Result<ClusterStatus, StoreError> {
    let now = leader.now();
    let silence = |heard: &Heard| now.saturating_sub(heard.at).as_millis() as u64;
    let heard = |heard: &Heard| Some((heard.status.clone()?, silence(heard)));
    let mut nodes: Vec<_> = leader.memory().heard.values().filter_map(heard).collect();
    nodes.sort_by_key(|(status, _)| status.node);
    let total = usage::get(&view.usage()?, usage::TOTAL)?;
    Ok(ClusterStatus {
        buckets: view.buckets()?.len()?,
        objects: total.objects,
        object_bytes: total.bytes,
        uploads: total.uploads,
        reclaim_entries: view.reclaim()?.len()?,
        repair_entries: view.repair()?.len()?,
        sessions: view.sessions()?.len()?,
        commit: leader.commit(),
        nodes,
    })
}
