//! Requests to the log thread.

use std::collections::BTreeSet;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::shard::ShardHeader;
use cairn_protocol::storage::DeleteOrder;
use tokio::sync::OwnedSemaphorePermit;

use super::ack::Reply;
use super::region::Region;
use crate::format::{Footer, Place, Tombstone};

/// What the log thread does on request.
pub(crate) enum LogRequest {
    /// Write a whole shard.
    Put {
        header: ShardHeader,
        cells: Vec<Cell>,
        /// Held until the kernel has the bytes.
        memory: OwnedSemaphorePermit,
        reply: Reply<()>,
    },
    /// Reserve space for a shard and write its header.
    Open { header: ShardHeader, admission: OwnedSemaphorePermit, reply: Reply<Region> },
    /// Write a tombstone for at most [`crate::format::TOMBSTONE_SHARDS_MAX`] shards.
    Delete { order: DeleteOrder, reply: Reply<()> },
    /// Write a copy of the whole shard that is at `from`; `body` has its verified cells and their checksums. `Busy` if
    /// the shard is being written or deleted; nothing happens if it is elsewhere by now.
    Move { from: Place, shard: ShardHeader, body: Bytes, cells: Box<Footer>, reply: Reply<()> },
    /// Reserve space for a copy of the shard that is at `from`, and write its header. `None` if it is elsewhere.
    OpenMove { from: Place, shard: ShardHeader, reply: Reply<Option<Region>> },
    /// Write the tombstone again for those of its shards that are still deleted, because without it their records in the
    /// volumes `covered` would count again. `Busy` if one of them is being written or deleted.
    Carry { tombstone: Tombstone, covered: BTreeSet<u32>, reply: Reply<()> },
}
