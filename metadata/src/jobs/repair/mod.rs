//! Repair: the leader's loop that finds missing and damaged shards, orders their rebuild, and reconciles returned disks.
//!
//! All decisions are [`cairn_core::repair`]'s. The loop looks through the tables ([`scan`]), hands what it finds to the
//! planner, carries tasks out ([`rebuild`]), and reconciles quarantined disks ([`returning`]). It keeps nothing that the
//! tables do not have: a leader that ends here leaves grants, which its successor ends, and nothing else. While there is
//! nothing to repair, extents that stand too close together are [`spread`], and then a [`rebalance`] has its turn.

mod inventory;
mod lead;
mod pass;
mod patience;
mod rebalance;
mod rebuild;
mod reconcile;
mod returning;
mod scan;
mod spread;
mod survey;
mod verify;

use std::sync::Weak;

use cairn_protocol::metadata::query::RebalanceStatus;
use cairn_protocol::storage::StorageDirectory;
use tokio::sync::watch;

use crate::leader::Leader;
use crate::options::Options;
use crate::state::tables::absences::{self, Absences};
use lead::{Lead, next_event};
pub(crate) use survey::{forecast, shares};

/// Runs until the member stops, or nobody has a handle of it any more.
pub(crate) async fn run(
    leader: Weak<Leader>,
    options: Options,
    storage: StorageDirectory,
    mut stop: watch::Receiver<bool>,
) {
    let mut lead: Option<Lead> = None;
    loop {
        let wait = lead.as_ref().map_or(options.tick, Lead::wait);
        let event = tokio::select! {
            () = tokio::time::sleep(wait) => None,
            event = next_event(&mut lead) => Some(event),
            _ = stop.changed() => return,
        };
        let Some(leader) = leader.upgrade() else { return };
        if !leader.works() {
            // Rebuilds under way are dropped; whoever leads next ends their grants.
            lead = None;
            continue;
        }
        let (term, now) = (leader.term(), leader.now());
        if lead.as_ref().is_none_or(|lead| lead.term != term) {
            let read = leader.read(|view| absences::get(&view.meta()?)).await;
            let absences = read.unwrap_or_else(|error| {
                tracing::warn!(%error, "cannot read for how long disks have been away; their grace begins anew");
                Absences::default()
            });
            lead = Some(Lead::new(term, options.clone(), storage.clone(), &absences, now));
            // The status of an earlier term of this member is out of date.
            leader.repair().set_rebalance(RebalanceStatus::default());
        }
        let Some(lead) = &mut lead else { continue };
        lead.note(event, now);
        let ticked = tokio::select! {
            ticked = lead.tick(&leader) => ticked,
            _ = stop.changed() => return,
        };
        if let Err(error) = ticked {
            tracing::warn!(%error, "repair tick failed; retrying");
            tokio::time::sleep(options.tick).await;
        }
    }
}
