//! The read threads.

use std::sync::Arc;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::StorageError;

use super::cells::read_cells;
use super::describe::describe;
use crate::store::options::INVENTORY_PAGE_MAX;
use crate::store::requests::ReadRequest;
use crate::store::shared::Shared;

/// Runs until the queue is closed and empty.
pub(crate) fn run(shared: &Arc<Shared>) {
    let mut worker = shared.reads.worker();
    while let Some(request) = worker.next() {
        match request {
            // The caller has gone away; the disk has better things to do.
            ReadRequest::Cells { reply, .. } if reply.is_closed() => {}
            ReadRequest::Cells { wanted, reply } => {
                let body = read_cells(&shared.disk, &shared.index, &wanted, || worker.will_block());
                let _ = reply.send(body);
            }
            ReadRequest::Describe { shard, reply } => {
                worker.will_block();
                let _ = reply.send(describe(&shared.disk, &shared.index, shard));
            }
            ReadRequest::Page { after, limit, reply } => {
                worker.will_block();
                let _ = reply.send(page(shared, after, limit));
            }
        }
    }
}

fn page(shared: &Shared, after: Option<ShardId>, limit: u32) -> Result<Vec<ShardId>, StorageError> {
    let page = shared.index.page(after, limit.min(INVENTORY_PAGE_MAX) as usize)?;
    Ok(page.into_iter().map(|(shard, _)| shard).collect())
}
