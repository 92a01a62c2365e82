//! The collector: finds shards that nobody refers to and nobody can come to refer to, and deletes them (I13).
//!
//! The metadata service says of each shard whether it is garbage: its extent is not referenced and its session has ended,
//! or its commit names another place for it. Ages decide nothing.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::shard::ShardId;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ClassifyShards;
use cairn_protocol::storage::{DeleteOrder, DeleteProof, StorageNode};

use super::disk_slot::DiskSlot;
use super::handle::Handle;
use super::node::Node;

/// Shards that are looked at in one step.
const PAGE_SHARDS: u32 = 1000;

/// Rest between two pages: looking for garbage is never urgent, and clients come first.
const PAGE_PAUSE: Duration = Duration::from_millis(5);

/// Runs for ever.
pub(super) async fn run(node: &Arc<Node>) {
    let handle = Handle::new(Arc::clone(node));
    loop {
        tokio::time::sleep(node.options.collect_interval).await;
        for slot in node.slots().iter().filter(|slot| slot.is_ours && slot.in_service().is_some()) {
            if let Err(why) = collect(node, &handle, slot).await {
                tracing::warn!(disk = %slot.id, "collection stopped: {why}");
            }
        }
    }
}

async fn collect(node: &Node, handle: &Handle, slot: &DiskSlot) -> Result<(), String> {
    let mut after: Option<ShardId> = None;
    loop {
        let page = handle.inventory(slot.id, after, PAGE_SHARDS).await.map_err(|e| e.to_string())?;
        let Some(last) = page.last().copied() else { return Ok(()) };
        // Seen before the question is asked, so the answer is at least as new as the proof says.
        let proof = DeleteProof::Committed(node.watch().newest());
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
