//! See [`ChangeDisks`].

use crate::state::stored::ChangeDisks;
use cairn_core::cluster_map::{Disk, DiskEvent, step};
use cairn_core::id::Epoch;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::set_disk_states::current_map;
use crate::error::Refused;
use crate::state::tables::{Tables, disk_extents};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ChangeDisks) -> Result<Outcome, Refused> {
    let old = current_map(tables)?;
    let mut map = old.as_ref().clone();
    for (id, event) in &command.changes {
        let disk = map.disks.iter_mut().find(|disk| disk.id == *id);
        let disk = disk.ok_or_else(|| Rejection::Topology(format!("no disk {id} in the cluster map")))?;
        if *event == DiskEvent::Remove && !command.force {
            check_empty(tables, disk)?;
        }
        let stepped = step(disk, *event);
        (disk.standing, disk.state) =
            stepped.map_err(|why| Rejection::Topology(format!("disk {} ({}): {why}", disk.number, disk.path)))?;
    }
    if map != *old {
        map.epoch = Epoch(old.epoch.0 + 1);
        tables.set_map(map)?;
    }
    Ok(Outcome::Done)
}

/// I27: a disk is removed only once nothing refers to it.
fn check_empty(tables: &Tables<'_>, disk: &Disk) -> Result<(), Refused> {
    if disk_extents::is_empty(&tables.disk_extents, disk.number)? {
        return Ok(());
    }
    let text = format!(
        "disk {} ({}) still holds shards: wait for its drain to end (`cairn disk show {}`), or give its shards up with \
         --force",
        disk.number, disk.path, disk.number
    );
    Err(Rejection::Topology(text).into())
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::{DiskEvent, DiskState, Standing};
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{ChangeDisks, SetDiskStates};

    use crate::state::commands::testing::{State, disk_id, registration};

    fn change(disk: u8, event: DiskEvent, force: bool) -> ChangeDisks {
        ChangeDisks { changes: vec![(disk_id(1, disk), event)], force }
    }

    #[test]
    fn a_disk_is_removed_only_when_it_is_drained_and_empty() {
        let state = State::with_bucket();
        state.apply(registration(1, 4)).unwrap();
        state.put("a", 10);
        let refused = |command| assert!(matches!(state.refused(command), Rejection::Topology(_)));
        refused(change(0, DiskEvent::Remove, false));
        refused(change(3, DiskEvent::Remove, false));
        for disk in [0, 3] {
            state.apply(change(disk, DiskEvent::Drain, false)).unwrap();
        }
        refused(change(0, DiskEvent::Remove, false));
        state.apply(change(3, DiskEvent::Remove, false)).unwrap();
        state.apply(change(0, DiskEvent::Remove, true)).unwrap();
        let map = state.map();
        let standings: Vec<_> = map.disks.iter().map(|d| d.standing).collect();
        assert_eq!(standings, [Standing::Removed, Standing::Member, Standing::Member, Standing::Removed]);
    }

    #[test]
    fn several_changes_are_made_together_or_not_at_all() {
        let state = State::new();
        state.apply(registration(1, 2)).unwrap();
        let changes = vec![(disk_id(1, 0), DiskEvent::Drain), (disk_id(1, 1), DiskEvent::CancelDrain)];
        assert!(matches!(state.refused(ChangeDisks { changes, force: false }), Rejection::Topology(_)));
    }

    /// I17: neither a report nor a registration brings back a disk that was away.
    #[test]
    fn a_disk_that_was_away_comes_back_through_quarantine() {
        let state = State::new();
        state.apply(registration(1, 2)).unwrap();
        let see = |seen| state.apply(SetDiskStates { states: vec![(disk_id(1, 0), seen)] }).unwrap();
        let now = || state.map().disks[0].state;
        see(DiskState::Unavailable);
        assert_eq!(now(), DiskState::Unavailable);
        state.apply(registration(1, 2)).unwrap();
        assert_eq!(now(), DiskState::Quarantined);
        see(DiskState::Active);
        assert_eq!(now(), DiskState::Quarantined);
        state.apply(change(0, DiskEvent::Reconciled(DiskState::Active), false)).unwrap();
        assert_eq!(now(), DiskState::Active);
    }
}
