//! See [`SetDiskStates`].

use std::sync::Arc;

use crate::state::stored::SetDiskStates;
use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, DiskState, step};
use cairn_core::id::Epoch;
use cairn_protocol::metadata::{Outcome, Rejection};

use crate::error::Refused;
use crate::state::tables::Tables;

pub(super) fn apply(tables: &mut Tables<'_>, command: &SetDiskStates) -> Result<Outcome, Refused> {
    let old = current_map(tables)?;
    let mut map = old.as_ref().clone();
    for (id, state) in &command.states {
        let disk = map.disks.iter_mut().find(|disk| disk.id == *id);
        let disk = disk.ok_or_else(|| Rejection::Topology(format!("no disk {id} in the cluster map")))?;
        see(disk, *state);
    }
    if map != *old {
        map.epoch = Epoch(old.epoch.0 + 1);
        tables.set_map(map)?;
    }
    Ok(Outcome::Done)
}

/// Records the state in which a disk was seen.
pub(super) fn see(disk: &mut Disk, seen: DiskState) {
    // Every observation of a disk is allowed.
    if let Ok((standing, state)) = step(disk, DiskEvent::Seen(seen)) {
        (disk.standing, disk.state) = (standing, state);
    }
}

/// The cluster map, which exists from the first log entry on.
pub(super) fn current_map(tables: &Tables<'_>) -> Result<Arc<ClusterMap>, Refused> {
    let map = tables.map()?;
    Ok(map.ok_or_else(|| Rejection::Topology("the cluster is not formed yet".to_owned()))?)
}
