//! See [`RegisterNode`].

use std::collections::HashSet;

use crate::state::stored::RegisterNode;
use cairn_core::cluster_map::{ClusterMap, Disk, DiskState, Node, Standing};
use cairn_core::id::{DiskNumber, Epoch};
use cairn_core::limits::{DISKS_MAX, LABEL_CHARS_MAX};
use cairn_protocol::metadata::command::NodeRegistered;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::level::check_release;
use super::set_disk_states::{current_map, see};
use crate::error::Refused;
use crate::state::tables::Tables;

pub(super) fn apply(tables: &mut Tables<'_>, command: &RegisterNode) -> Result<Outcome, Refused> {
    let old = current_map(tables)?;
    check_release(tables, &command.release)?;
    check(&old, command)?;
    let mut map = old.as_ref().clone();
    let node = Node {
        id: command.node,
        name: command.name.clone(),
        rpc_addr: command.rpc_addr.clone(),
        labels: command.labels.clone(),
        release: command.release.clone(),
    };
    match map.nodes.iter_mut().find(|known| known.id == node.id) {
        Some(known) => *known = node,
        None => map.nodes.push(node),
    }
    let disks = command.disks.iter().map(|disk| enter(&mut map, command, disk)).collect();
    if map.disks.len() > DISKS_MAX {
        return Err(Rejection::LimitReached(format!("{DISKS_MAX} disks")).into());
    }
    if map != *old {
        map.epoch = Epoch(old.epoch.0 + 1);
        tables.set_map(map)?;
    }
    Ok(Outcome::NodeRegistered(NodeRegistered { cluster: old.cluster, disks }))
}

fn check(map: &ClusterMap, command: &RegisterNode) -> Result<(), Rejection> {
    if let Some(foreign) = command.cluster.filter(|cluster| *cluster != map.cluster) {
        let text = format!(
            "node {} holds disks of cluster {foreign}, this is cluster {}: point the node at its own cluster, or give it empty disks",
            command.name, map.cluster
        );
        return Err(Rejection::Topology(text));
    }
    let labels = [&command.name, &command.labels.zone, &command.labels.rack];
    if let Some(long) = labels.into_iter().find(|label| label.chars().count() > LABEL_CHARS_MAX) {
        return Err(Rejection::Topology(format!("{long:?} has more than {LABEL_CHARS_MAX} characters")));
    }
    let mut seen = HashSet::new();
    for disk in &command.disks {
        if !seen.insert(disk.id) {
            let text = format!("disk {} is mounted twice on node {}: one of them is a copy", disk.id, command.name);
            return Err(Rejection::Topology(text));
        }
        if let Some(known) = map.disk_by_id(disk.id).filter(|known| known.node != command.node) {
            let owner = map.node(known.node).map_or_else(|| known.node.to_string(), |node| node.name.clone());
            let text = format!("disk {} ({}) belongs to node {owner}, not to {}", disk.id, disk.path, command.name);
            return Err(Rejection::Topology(text));
        }
    }
    Ok(())
}

/// Adds a disk, or updates a known one, and returns its number.
fn enter(
    map: &mut ClusterMap,
    command: &RegisterNode,
    disk: &cairn_protocol::metadata::command::DiskRegistration,
) -> DiskNumber {
    if let Some(known) = map.disks.iter_mut().find(|known| known.id == disk.id) {
        known.path.clone_from(&disk.path);
        known.capacity_bytes = disk.capacity_bytes;
        see(known, disk.state);
        return known.number;
    }
    // Disks are never removed from the map and are sorted by number, so no number is issued twice.
    let number = DiskNumber(map.disks.last().map_or(1, |last| last.number.0 + 1));
    map.disks.push(Disk {
        number,
        id: disk.id,
        node: command.node,
        path: disk.path.clone(),
        capacity_bytes: disk.capacity_bytes,
        state: if disk.state == DiskState::Unavailable { DiskState::Joining } else { disk.state },
        standing: Standing::Member,
    });
    number
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::DiskState;
    use cairn_core::id::{ClusterId, DiskNumber};
    use cairn_protocol::metadata::command::{NodeRegistered, RegisterNode, SetDiskStates};
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::{State, disk_id, registration};

    #[test]
    fn known_disks_keep_their_numbers_and_equal_registrations_add_no_epoch() {
        let state = State::new();
        let cluster = state.map().cluster;
        let numbers = |from: u32| (from..from + 3).map(DiskNumber).collect();
        for (node, from) in [(1, 1), (2, 4), (1, 1)] {
            let registered = NodeRegistered { cluster, disks: numbers(from) };
            assert_eq!(state.apply(registration(node, 3)), Ok(Outcome::NodeRegistered(registered)));
        }
        assert_eq!(state.map().epoch.0, 3);
        let moved = RegisterNode { rpc_addr: "10.0.0.9:9002".into(), ..registration(1, 3) };
        state.apply(moved).unwrap();
        assert_eq!(state.map().epoch.0, 4);
    }

    #[test]
    fn foreign_and_cloned_disks_are_refused() {
        let state = State::new();
        state.apply(registration(1, 2)).unwrap();
        let before = state.map();
        let foreign = RegisterNode { cluster: Some(ClusterId::from_random([5; 16])), ..registration(2, 2) };
        let mut stolen = registration(2, 2);
        stolen.disks[1].id = disk_id(1, 0);
        let mut twice = registration(2, 2);
        twice.disks[1].id = twice.disks[0].id;
        for bad in [foreign, stolen, twice] {
            assert!(matches!(state.refused(bad), Rejection::Topology(_)));
        }
        assert_eq!(state.map(), before, "I18: nothing is entered");
    }

    #[test]
    fn states_change_the_epoch_only_if_they_differ() {
        let state = State::new();
        state.apply(registration(1, 2)).unwrap();
        let epoch = state.map().epoch.0;
        for _ in 0..2 {
            let states = vec![(disk_id(1, 1), DiskState::Suspect)];
            state.apply(SetDiskStates { states }).unwrap();
        }
        assert_eq!((state.map().epoch.0, state.map().disks[1].state), (epoch + 1, DiskState::Suspect));
        let unknown = SetDiskStates { states: vec![(disk_id(7, 7), DiskState::Full)] };
        assert!(matches!(state.refused(unknown), Rejection::Topology(_)));
    }
}
