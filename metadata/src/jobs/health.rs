//! The states of disks, as the leader concludes them from the reports of nodes or from their silence.

use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, Disk, DiskEvent, DiskState, step};
use cairn_core::id::{DiskId, NodeId};

use crate::leader::Memory;

/// The disks whose state in the map is out of date, with the states now observed.
pub(super) fn changes(map: &ClusterMap, memory: &Memory, now: Duration, silence: Duration) -> Vec<(DiskId, DiskState)> {
    let wanted = |disk: &Disk| {
        let seen = conclude(disk, memory, now, silence)?;
        let (_, state) = step(disk, DiskEvent::Seen(seen)).ok()?;
        (state != disk.state).then_some((disk.id, seen))
    };
    map.disks.iter().filter_map(wanted).collect()
}

/// The observed state of a disk; `None` if its node has registered but not yet reported.
pub(super) fn conclude(disk: &Disk, memory: &Memory, now: Duration, silence: Duration) -> Option<DiskState> {
    if is_silent(disk.node, memory, now, silence) {
        return Some(DiskState::Unavailable);
    }
    let status = memory.heard.get(&disk.node).and_then(|heard| heard.status.as_ref())?;
    // A disk that its node does not report any more is not there.
    let reported = status.disks.iter().find(|reported| reported.disk == disk.id);
    Some(reported.map_or(DiskState::Unavailable, |reported| reported.state))
}

/// Whether a node is silent beyond the limit. For a node never heard of, the time counts from the start of the term.
pub(super) fn is_silent(node: NodeId, memory: &Memory, now: Duration, silence: Duration) -> bool {
    let at = memory.heard.get(&node).map_or(memory.since, |heard| heard.at);
    now.saturating_sub(at) > silence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leader::Heard;
    use cairn_core::cluster_map::Standing;
    use cairn_core::id::{ClusterId, DiskNumber};
    use cairn_protocol::storage::{DiskStatus, NodeStatus};

    fn disk(number: u32, node: u8, state: DiskState) -> Disk {
        let id = DiskId::from_random([number as u8; 16]);
        let node = NodeId::from_random([node; 16]);
        Disk {
            number: DiskNumber(number),
            id,
            node,
            path: String::new(),
            capacity_bytes: 1,
            state,
            standing: Standing::Member,
        }
    }

    fn status(disk: &Disk, state: DiskState) -> DiskStatus {
        let (path, reason) = (String::new(), String::new());
        DiskStatus {
            disk: disk.id,
            path,
            state,
            reason,
            capacity_bytes: 1,
            used_bytes: 0,
            shards: 0,
            scrub: None,
            refused_hanging: 0,
            doubt: None,
        }
    }

    #[test]
    fn states_follow_reports_and_silence() {
        use DiskState::{Active, Full, Suspect, Unavailable};
        let seconds = Duration::from_secs;
        let mut map = ClusterMap::empty(ClusterId::from_random([1; 16]), Vec::new());
        map.disks =
            vec![disk(1, 1, Active), disk(2, 1, Suspect), disk(3, 1, Active), disk(4, 2, Active), disk(5, 3, Full)];
        let [full, well, gone, new, mute] = map.disks.as_slice() else { panic!() };
        let mut memory = Memory { since: seconds(100), ..Memory::default() };
        let report = NodeStatus {
            node: full.node,
            disks: vec![status(full, Full), status(well, Active)],
            cluster: None,
            seen: Vec::new(),
        };
        memory.heard.insert(full.node, Heard { at: seconds(108), status: Some(report) });
        memory.heard.insert(new.node, Heard { at: seconds(101), status: None });
        let changes = |now| changes(&map, &memory, seconds(now), seconds(5));
        assert_eq!(changes(105), [(full.id, Full), (well.id, Active), (gone.id, Unavailable)]);
        let silent = [(new.id, Unavailable), (mute.id, Unavailable)];
        assert_eq!(changes(110)[3..], silent);
        assert_eq!(changes(200).len(), 5, "silence overrules what was reported before");
    }
}
