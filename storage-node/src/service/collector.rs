//! The collector: finds shards that nothing references and nothing ever will, and deletes them (I13).
//!
//! The metadata service decides whether a shard is garbage: its extent is not referenced and its session has ended, or its
//! commit names another place for it. Ages decide nothing.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::GroupId;
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ClassifyShards;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageNode};

use super::disk_slot::DiskSlot;
use super::handle::Handle;
use super::node::Node;

/// Shards in one step.
const PAGE_SHARDS: u32 = 1000;

/// Rest between two pages: garbage is never urgent, and clients come first.
const PAGE_PAUSE: Duration = Duration::from_millis(5);

/// Runs until the node stops.
pub(super) async fn run(node: &Arc<Node>) {
    let handle = Handle::new(Arc::clone(node));
    loop {
        tokio::time::sleep(node.options.collect_interval).await;
        for slot in node.slots().iter().filter(|slot| slot.is_ours && slot.in_service().is_some()) {
            if let Err(why) = collect(node, &handle, slot).await {
                tracing::warn!(disk = %slot.id, "garbage was not collected; retrying in the next round: {why}");
            }
        }
    }
}

async fn collect(node: &Node, handle: &Handle, slot: &DiskSlot) -> Result<(), String> {
    let mut after: Option<ShardId> = None;
    loop {
        let page = handle.inventory(slot.id, after, PAGE_SHARDS).await.map_err(|e| e.to_string())?;
        let Some(last) = page.last().copied() else { return Ok(()) };
        // Taken before the question is asked, so the answer is at least as new as the proof.
        let proof = DeleteProof::Committed(node.watches().newest(GroupId::FIRST));
        let query = ClassifyShards { disk: slot.id, shards: page.clone() };
        let garbage = node.dependencies.metadata.ask(query).await.map_err(|e| e.to_string())?;
        if garbage.len() != page.len() {
            return Err(format!("asked about {} shards, answered about {}", page.len(), garbage.len()));
        }
        let shards: Vec<ShardId> = page.into_iter().zip(garbage).filter(|(_, dead)| *dead).map(|(s, _)| s).collect();
        if !shards.is_empty() {
            tracing::info!(disk = %slot.id, shards = shards.len(), "collecting garbage");
            handle.delete_shards(slot.id, DeleteOrder { proof, shards }).await.map_err(|e| e.to_string())?;
        }
        after = Some(last);
        tokio::time::sleep(PAGE_PAUSE).await;
    }
}
