//! The stream threads: they write shards into their own regions while others do the same.

use std::sync::Arc;

use crate::store::index::Entry;
use crate::store::requests::{Change, Region, Reply, StreamRequest};
use crate::store::shared::Shared;

/// Runs until the queue is closed and empty.
pub(crate) fn run(shared: &Arc<Shared>) {
    while let Some(request) = shared.streams.pop() {
        match request {
            StreamRequest::Cells { region, offset, cells, memory, reply } => {
                let parts: Vec<&[u8]> = cells.iter().flat_map(|c| [&c.data[..], &c.checksum.0[..]]).collect();
                let result = region.write(&parts, offset);
                drop((cells, memory, region));
                let _ = reply.send(result);
            }
            StreamRequest::Finish { region, footer, reply } => finish(shared, &region, &footer, reply),
        }
    }
}

fn finish(shared: &Shared, region: &Region, footer: &[u8], reply: Reply<()>) {
    let id = region.header().shard;
    let located = region.write_footer(footer).and_then(|()| shared.index.locate(id));
    let earlier = match located {
        Ok(located) => located,
        Err(error) => return drop(reply.send(Err(error))),
    };
    region.pass_on(&shared.syncs, Change::Put { shard: id, entry: Entry::of(region.header()), earlier }, reply);
}
