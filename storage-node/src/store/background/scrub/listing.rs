//! The live shards in the order of their places.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_core::shard::ShardId;

use crate::format::Place;
use crate::store::index::{Entry, Index};
use crate::store::scrub_state::Halt;
use crate::store::scrub_state::options::{BATCH_SHARDS, PAGE_ROWS};

/// Rest between two pages of the index.
const PAGE_PAUSE: Duration = Duration::from_millis(1);

/// The first [`BATCH_SHARDS`] live shards from `from` on and before `until`. One pass over the index in bounded memory,
/// whatever the disk holds: the index is ordered by id, and a second one by place would cost each write something.
pub(crate) fn list(
    index: &Index,
    from: Place,
    until: Place,
    rest: impl Fn(Duration) -> Result<(), Halt>,
) -> Result<BTreeMap<Place, (ShardId, Entry)>, Halt> {
    let mut first: BTreeMap<Place, (ShardId, Entry)> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = index.page(after, PAGE_ROWS).map_err(|e| Halt::Trouble(e.to_string()))?;
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
