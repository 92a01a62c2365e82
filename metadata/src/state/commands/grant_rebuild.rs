//! See [`GrantRebuild`].

use crate::state::stored::GrantRebuild;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::body;
use super::context::Context;
use crate::error::Refused;
use crate::state::tables::rebuilds::Rebuild;
use crate::state::tables::{Tables, extents, rebuilds};

pub(super) fn apply(tables: &mut Tables<'_>, command: &GrantRebuild, context: Context) -> Result<Outcome, Refused> {
    let (extent, index) = (command.extent, command.index);
    let stale = |why: &str| Refused::from(Rejection::Stale(format!("extent {extent}, shard {index}: {why}")));
    let row = extents::get(&tables.extents, extent)?.ok_or_else(|| stale("the extent is gone"))?;
    if row.generation != command.generation || usize::from(index) >= row.locations.len() {
        return Err(stale("the extent's shards have moved"));
    }
    if row.locations.iter().enumerate().any(|(i, at)| i != usize::from(index) && *at == Some(command.target)) {
        return Err(stale("the disk holds another shard of the extent"));
    }
    if tables.map()?.is_some_and(|map| body::is_gone(&map, command.target)) {
        return Err(stale("its new disk has left the cluster"));
    }
    if rebuilds::get(&tables.rebuilds, extent, index)?.is_some() {
        return Err(stale("it is being rebuilt already"));
    }
    let rebuild = Rebuild { grant: context.sequence, target: command.target, generation: command.generation };
    rebuilds::put(&mut tables.rebuilds, extent, index, rebuild)?;
    Ok(Outcome::RebuildGranted(context.sequence))
}
