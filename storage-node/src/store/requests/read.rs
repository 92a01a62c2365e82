//! Requests to the read threads.

use std::ops::Range;

use bytes::Bytes;
use cairn_core::geometry::Geometry;
use cairn_core::shard::{ShardHeader, ShardId};

use super::ack::Reply;

/// What the read threads do on request.
pub(crate) enum ReadRequest {
    Cells {
        wanted: WantedCells,
        reply: Reply<Bytes>,
    },
    /// Read the descriptor.
    Describe {
        shard: ShardId,
        reply: Reply<ShardHeader>,
    },
    /// List shards.
    Page {
        after: Option<ShardId>,
        limit: u32,
        reply: Reply<Vec<ShardId>>,
    },
}

/// Cells of a shard that somebody asks for.
#[derive(Debug, Clone)]
pub(crate) struct WantedCells {
    pub(crate) shard: ShardId,
    pub(crate) geometry: Geometry,
    pub(crate) stripes: Range<u32>,
}
