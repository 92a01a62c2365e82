//! Compares a restored metadata service with the disks, by itself, until nothing is left to compare: bodies that lie on
//! the disks as a whole and are unknown come back into the namespace from the descriptors of their shards (I16), and
//! everything else that differs is listed and kept. Runs where the leading member runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::{DiskNumber, Epoch};
use cairn_metadata::Handle;
use cairn_protocol::metadata::query::{GetClusterMap, RestoreHold};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};
use cairn_protocol::storage::StorageDirectory;

use super::pass::{Pass, PassError};

/// Time between two looks at whether there is something to do.
const POLL: Duration = Duration::from_secs(1);
/// Looks in a row that must see the same disks before they are compared: nodes come one after the other.
const SETTLED_LOOKS: u32 = 4;

/// What the comparison needs.
pub struct Comparison {
    pub member: Handle,
    pub nodes: StorageDirectory,
    pub clock: Arc<dyn Clock>,
}

/// The disks that serve, as they were seen for some looks.
#[derive(Debug, Default)]
struct Settling {
    serving: BTreeSet<DiskNumber>,
    looks: u32,
    /// The disks that were compared last.
    compared: Option<BTreeSet<DiskNumber>>,
}

impl Settling {
    /// Whether the disks that serve now are to be compared.
    fn look(&mut self, serving: BTreeSet<DiskNumber>) -> bool {
        self.looks = if serving == self.serving { self.looks + 1 } else { 0 };
        self.serving = serving;
        self.looks >= SETTLED_LOOKS && !self.serving.is_empty() && self.compared.as_ref() != Some(&self.serving)
    }
}

impl Comparison {
    /// Runs for ever.
    pub async fn run(self) {
        let mut settling = Settling::default();
        loop {
            tokio::time::sleep(POLL).await;
            match self.look(&mut settling).await {
                Ok(()) => {}
                Err(error) => {
                    settling.looks = 0;
                    tracing::warn!(%error, "the comparison with the disks is begun anew");
                }
            }
        }
    }

    /// Compares if there is something to compare and the disks are there.
    async fn look(&self, settling: &mut Settling) -> Result<(), PassError> {
        let hold = if self.member.leads() { self.member.restore_hold()? } else { None };
        let Some(hold) = hold.filter(|hold| hold.released_below.is_none()) else {
            *settling = Settling::default();
            return Ok(());
        };
        let Some(map) = self.map().await? else { return Ok(()) };
        let serving = map.disks.iter().filter(|disk| disk.state.serves()).map(|disk| disk.number).collect();
        if !settling.look(serving) {
            return Ok(());
        }
        tracing::warn!(disks = settling.serving.len(), "the metadata was restored: it is compared with the disks");
        self.compare(&hold, &map).await?;
        settling.compared = Some(settling.serving.clone());
        Ok(())
    }

    async fn compare(&self, hold: &RestoreHold, map: &ClusterMap) -> Result<(), PassError> {
        let metadata: Arc<dyn Metadata> = Arc::new(self.member.clone());
        let pass = Pass::new(metadata, &self.nodes, map, hold, Arc::clone(&self.clock));
        let totals = pass.run(release_below(hold, map)).await?;
        tracing::warn!(
            shards = totals.shards,
            recovered = totals.recovered,
            kept = totals.kept,
            unreadable = totals.unreadable,
            "the metadata was compared with the disks: `cairn metadata findings` lists what differs; deletions go on once \
             everything is proven, or with `cairn metadata resume-deletions`"
        );
        Ok(())
    }

    async fn map(&self) -> Result<Option<ClusterMap>, MetadataError> {
        self.member.ask(GetClusterMap { known: Epoch(0) }).await
    }
}

/// The disks on which deletions may go on by themselves if everything on them is proven: all that there are, if all of
/// them serve. A namespace that was rebuilt without any backup does not know what there should be.
fn release_below(hold: &RestoreHold, map: &ClusterMap) -> Option<DiskNumber> {
    let members = map.disks.iter().filter(|disk| disk.state != DiskState::Removed);
    let all_serve = members.clone().all(|disk| disk.state.serves());
    let last = map.disks.last()?;
    (all_serve && hold.backup_commit.0 > 0).then_some(DiskNumber(last.number.0 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_compared_once_they_have_settled_and_again_when_others_come() {
        let set = |numbers: &[u32]| numbers.iter().map(|n| DiskNumber(*n)).collect::<BTreeSet<_>>();
        let mut settling = Settling::default();
        assert!((0..10).all(|_| !settling.look(set(&[]))), "nothing is compared with no disk");
        let looks = |settling: &mut Settling, disks: &[u32]| (0..10).position(|_| settling.look(set(disks)));
        assert_eq!(looks(&mut settling, &[1]), Some(SETTLED_LOOKS as usize));
        assert_eq!(looks(&mut settling, &[1, 2]), Some(SETTLED_LOOKS as usize));
        settling.compared = Some(set(&[1, 2]));
        assert_eq!(looks(&mut settling, &[1, 2]), None);
        assert!(looks(&mut settling, &[1, 2, 3]).is_some());
    }
}
