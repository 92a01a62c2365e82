//! How much each comparison writes, and for how long.

use std::time::Duration;

/// Bytes of a small shard.
pub(crate) const SMALL: usize = 4 << 10;
/// Bytes of a large shard: one of four data shards of a 64 MiB extent.
pub(crate) const LARGE: usize = 16 << 20;
/// Large shards that are streamed at the same time.
pub(crate) const STREAMS: u64 = 4;
/// Bytes of large shards in a round, and of the sequential write for comparison.
pub(crate) const SEQUENTIAL: usize = 16 * LARGE;
/// Time for which each rate of small operations is measured in a round.
pub(crate) const TIME: Duration = Duration::from_millis(500);
