//! Reports to the metadata service which shards the scrubs and compaction found bad. The disk remembers a finding until the
//! metadata service has answered, however long that takes.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::DiskNumber;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{ReportFaults, ShardReport};
use cairn_protocol::storage::ScrubFinding;

use super::disk_slot::DiskSlot;
use super::node::Node;

/// Findings in one command.
const BATCH: usize = 256;
/// Time between two reports; doubled while the metadata service cannot be reached.
const INTERVAL: Duration = Duration::from_secs(1);
const INTERVAL_MAX: Duration = Duration::from_secs(30);

/// Runs until the node stops.
pub(super) async fn run(node: &Arc<Node>) {
    let mut interval = INTERVAL;
    loop {
        tokio::time::sleep(interval).await;
        let mut are_all_reported = true;
        for slot in node.slots().iter().filter(|slot| slot.is_ours) {
            are_all_reported &= report(node, slot).await;
        }
        interval = if are_all_reported { INTERVAL } else { (interval * 2).min(INTERVAL_MAX) };
    }
}

/// Reports the next findings of a disk. False if the metadata service did not take them.
async fn report(node: &Node, slot: &DiskSlot) -> bool {
    let (Some(store), Some(disk)) = (slot.in_service(), slot.cluster_number()) else { return true };
    let findings = store.unreported_findings(BATCH);
    if findings.is_empty() {
        return true;
    }
    let reports = findings.iter().map(|finding| report_of(finding, disk)).collect();
    match node.dependencies.metadata.run(ReportFaults { reports }).await {
        Ok(()) => {
            tracing::info!(disk = %slot.id, shards = findings.len(), "reported bad shards for repair");
            store.findings_reported(&findings);
            true
        }
        Err(error) => {
            let shards = findings.len();
            tracing::warn!(disk = %slot.id, shards, %error, "bad shards were not reported; retrying");
            false
        }
    }
}

fn report_of(finding: &ScrubFinding, disk: DiskNumber) -> ShardReport {
    ShardReport { extent: finding.shard.extent, index: finding.shard.index, disk, kind: finding.kind }
}
