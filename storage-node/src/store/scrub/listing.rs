//! What is alive, in the order in which it lies.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_core::shard::ShardId;

use super::Halt;
use super::options::{BATCH_SHARDS, PAGE_ROWS};
use crate::format::Place;
use crate::store::entry::Entry;
use crate::store::reader::entries;
use crate::store::shared::Shared;

/// Rest between two pages of the index.
const PAGE_PAUSE: Duration = Duration::from_millis(1);

/// The first [`BATCH_SHARDS`] live shards that lie at `from` or behind it, and before `until`. One pass over the index,
/// in bounded memory, whatever the disk holds: the index is ordered by id, and a second one by place would cost every
/// write something.
pub(super) fn list(
    shared: &Shared,
    from: Place,
    until: Place,
    rest: impl Fn(Duration) -> Result<(), Halt>,
) -> Result<BTreeMap<Place, (ShardId, Entry)>, Halt> {
    let mut first: BTreeMap<Place, (ShardId, Entry)> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = entries(shared, after, PAGE_ROWS).map_err(|e| Halt::Trouble(e.to_string()))?;
        let is_last = page.len() < PAGE_ROWS;
        after = page.last().map(|(shard, _)| *shard);
        for (shard, entry) in page {
            if entry.place < from || entry.place >= until {
                continue;
            }
            first.insert(entry.place, (shard, entry));
            if first.len() > BATCH_SHARDS {
                first.pop_last();
            }
        }
        if is_last {
            return Ok(first);
        }
        rest(PAGE_PAUSE)?;
    }
}
