//! Asks the metadata service whether shards were really given up, before an order in the name of their writer is carried out.
//!
//! A gateway may wrongly believe that its commit was refused. So its word is no proof: the metadata service gives the
//! extents up, unless they are committed, and refuses to commit them from then on (I13). The first disk of an aborted write
//! costs one command, the others one query each, all of it behind the answer to the client.

use cairn_core::id::{DiskId, ExtentId};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::AbandonExtents;
use cairn_protocol::metadata::query::ClassifyShards;
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};
use cairn_protocol::storage::{StorageError, StorageErrorKind};

/// Shards in one question.
const PAGE_SHARDS: usize = 1000;

/// Returns once all `shards` are proven to be garbage; until then they stay.
///
/// # Errors
/// `Refused` if one of them is committed or may be yet; `Busy` if the metadata service does not answer.
pub(super) async fn prove(metadata: &dyn Metadata, disk: DiskId, shards: &[ShardId]) -> Result<(), StorageError> {
    let unknown = |error: MetadataError| {
        let why = format!("the shards of an aborted write stay until the metadata service has given them up: {error}");
        StorageError::new(StorageErrorKind::Busy, disk, why)
    };
    for page in shards.chunks(PAGE_SHARDS) {
        let garbage = metadata.ask(ClassifyShards { disk, shards: page.to_vec() }).await.map_err(unknown)?;
        let rest = page.iter().zip(garbage.into_iter().chain(std::iter::repeat(false)));
        let mut extents: Vec<ExtentId> = rest.filter(|(_, dead)| !dead).map(|(shard, _)| shard.extent).collect();
        extents.dedup();
        if extents.is_empty() {
            continue;
        }
        if let Some(extent) = metadata.run(AbandonExtents { extents }).await.map_err(unknown)?.first() {
            let why =
                format!("extent {extent} is committed, or may be yet: its shards stay, whatever its writer believes");
            tracing::error!(%disk, "refusing an order to delete: {why}");
            return Err(StorageError::new(StorageErrorKind::Refused, disk, why));
        }
    }
    Ok(())
}
