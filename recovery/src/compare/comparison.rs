//! Watches for a restored service whose disks are up, and compares it with them.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::{DiskNumber, Epoch};
use cairn_metadata::Handle;
use cairn_protocol::metadata::query::{GetClusterMap, RestoreHold};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};
use cairn_protocol::storage::StorageDirectory;

use super::error::CompareError;
use super::pass::{Pass, PassOptions};
use super::stable_disks::StableDisks;

/// Time between two checks whether there is something to compare.
const POLL: Duration = Duration::from_secs(1);

/// What the comparison needs.
pub struct Comparison {
    pub member: Handle,
    pub nodes: StorageDirectory,
    pub clock: Arc<dyn Clock>,
}

impl Comparison {
    /// Compares whenever the member leads a restored service and other disks serve than at the last comparison. Runs for
    /// ever.
    pub async fn run(self) {
        let mut disks = StableDisks::default();
        loop {
            tokio::time::sleep(POLL).await;
            if let Err(error) = self.compare_if_due(&mut disks).await {
                disks.restart();
                tracing::warn!(%error, "the comparison with the disks failed; starting again");
            }
        }
    }

    async fn compare_if_due(&self, disks: &mut StableDisks) -> Result<(), CompareError> {
        let hold = if self.member.leads() { self.member.restore_hold().await? } else { None };
        let Some(hold) = hold.filter(|hold| hold.released_below.is_none()) else {
            *disks = StableDisks::default();
            return Ok(());
        };
        let Some(map) = self.map().await? else { return Ok(()) };
        let serving = map.disks.iter().filter(|disk| disk.state.serves());
        let count = serving.clone().count();
        if !disks.check(serving.map(|disk| disk.number).collect()) {
            return Ok(());
        }
        tracing::warn!(disks = count, "the metadata was restored; comparing it with the disks");
        self.compare(&hold, &map).await?;
        disks.compared();
        Ok(())
    }

    async fn compare(&self, hold: &RestoreHold, map: &ClusterMap) -> Result<(), CompareError> {
        let metadata: Arc<dyn Metadata> = Arc::new(self.member.clone());
        let options = PassOptions { metadata, nodes: &self.nodes, map, hold, clock: Arc::clone(&self.clock) };
        let totals = Pass::begin(options).await?.run(release_below(hold, map)).await?;
        tracing::warn!(
            shards = totals.shards,
            recovered = totals.recovered,
            kept = totals.kept,
            unreadable = totals.unreadable,
            "the metadata was compared with the disks: `cairn metadata findings` lists what differs; deletions resume once \
             everything is accounted for, or with `cairn metadata resume-deletions`"
        );
        Ok(())
    }

    async fn map(&self) -> Result<Option<ClusterMap>, MetadataError> {
        self.member.ask(GetClusterMap { known: Epoch(0) }).await
    }
}

/// The disks on which deletions may resume without the operator if everything on them is accounted for: all disks, if all
/// of them serve. A namespace that was reconstructed without a backup does not know what should exist.
fn release_below(hold: &RestoreHold, map: &ClusterMap) -> Option<DiskNumber> {
    let members = map.disks.iter().filter(|disk| disk.state != DiskState::Removed);
    let all_serve = members.clone().all(|disk| disk.state.serves());
    let last = map.disks.last()?;
    (all_serve && hold.backup_commit.0 > 0).then_some(DiskNumber(last.number.0 + 1))
}
