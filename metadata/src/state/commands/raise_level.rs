//! See [`RaiseLevel`].

use cairn_core::cluster_map::{ClusterMap, DiskState, Node};
use cairn_core::id::Epoch;
use cairn_core::release::Release;
use cairn_protocol::metadata::query::{ProcessRelease, ProcessRole};
use cairn_protocol::metadata::{Outcome, Rejection};
use redb::ReadableTable;

use super::set_disk_states::current_map;
use crate::error::{Refused, StoreError};
use crate::state::stored::RaiseLevel;
use crate::state::tables::{Tables, sessions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &RaiseLevel) -> Result<Outcome, Refused> {
    let old = current_map(tables)?;
    if command.to <= old.level {
        return Ok(Outcome::Done);
    }
    let supports = |process: &ProcessRelease| process.release.as_ref().is_some_and(|r| r.supports(command.to));
    let behind = processes(&old, &tables.sessions)?.into_iter().filter(|process| !supports(process));
    let behind: Vec<String> = behind.map(|process| process.to_string()).collect();
    if !behind.is_empty() {
        return Err(Rejection::OtherRelease(behind.join("; ")).into());
    }
    tables.set_map(ClusterMap { level: command.to, epoch: Epoch(old.epoch.0 + 1), ..old.as_ref().clone() })?;
    Ok(Outcome::Done)
}

/// The storage nodes with disks in the cluster and the gateways with a session, and what each runs.
pub(crate) fn processes(
    map: &ClusterMap,
    sessions: &impl ReadableTable<sessions::Key, sessions::Value>,
) -> Result<Vec<ProcessRelease>, StoreError> {
    let has_disks =
        |node: &&Node| map.disks.iter().any(|disk| disk.node == node.id && disk.state != DiskState::Removed);
    let process = |role, name: String, release: &Release| ProcessRelease { role, name, release: Some(release.clone()) };
    let nodes = map.nodes.iter().filter(has_disks);
    let nodes = nodes.map(|node| process(ProcessRole::StorageNode, node.name.clone(), &node.release));
    let gateways = sessions::all(sessions)?.into_iter().filter(|(session, _)| !session.is_system());
    let gateways = gateways.map(|(session, row)| {
        let name = row.name.unwrap_or_else(|| row.gateway.to_string());
        process(ProcessRole::Gateway, format!("{name} (session {session})"), &row.release)
    });
    Ok(nodes.chain(gateways).collect())
}

#[cfg(test)]
mod tests {
    use cairn_core::cluster_map::DiskEvent;
    use cairn_core::id::NodeId;
    use cairn_core::release::FeatureLevel;
    use cairn_protocol::metadata::command::{ChangeDisks, EndSession, OpenSession, RaiseLevel, RegisterNode};

    use super::*;
    use crate::state::commands::testing::{State, disk_id, registration};

    const NEXT: RaiseLevel = RaiseLevel { to: FeatureLevel(FeatureLevel::NEWEST.0 + 1) };

    /// A release with levels from the oldest of this one to `newest`.
    fn release(newest: FeatureLevel) -> Release {
        Release { version: "9.9.9".to_owned(), newest, ..Release::current() }
    }

    /// No process has registered.
    fn at_first() -> State {
        let state = State::new();
        state.apply(EndSession { session: state.session() }).unwrap();
        state
    }

    #[test]
    fn the_level_is_raised_once_every_process_supports_it() {
        let state = at_first();
        let (gateway, epoch) = (NodeId::from_random([7; 16]), state.map().epoch.0);
        state.apply(registration(1, 1)).unwrap();
        let open = |newest| OpenSession { gateway, release: release(newest), name: None };
        let session = state.open(open(FeatureLevel::NEWEST));
        let refused = |named: &[&str]| match state.refused(NEXT) {
            Rejection::OtherRelease(why) => assert!(named.iter().all(|name| why.contains(name)), "{why}"),
            other => panic!("{other:?}"),
        };
        refused(&["storage node node1", "gateway"]);
        state.apply(RegisterNode { release: release(NEXT.to), ..registration(1, 1) }).unwrap();
        refused(&["gateway"]);
        state.apply(EndSession { session }).unwrap();
        state.open(open(NEXT.to));
        assert_eq!(state.apply(NEXT), Ok(Outcome::Done));
        assert_eq!(state.map().level, NEXT.to);
        assert!(state.map().epoch.0 > epoch, "gateways and nodes fetch the map");
        let raised = state.map();
        assert_eq!(state.apply(RaiseLevel { to: FeatureLevel::FIRST }), Ok(Outcome::Done), "it never falls");
        assert_eq!(state.map(), raised);
    }

    #[test]
    fn a_node_without_disks_holds_nothing_up() {
        let state = at_first();
        state.apply(registration(1, 1)).unwrap();
        let change = |event| ChangeDisks { changes: vec![(disk_id(1, 0), event)], force: true };
        state.apply(change(DiskEvent::Drain)).unwrap();
        state.apply(change(DiskEvent::Remove)).unwrap();
        assert_eq!(state.apply(NEXT), Ok(Outcome::Done));
    }

    #[test]
    fn a_process_that_does_not_support_the_level_is_not_let_in() {
        let state = at_first();
        state.apply(NEXT).unwrap();
        let older = OpenSession { gateway: NodeId::from_random([7; 16]), release: Release::current(), name: None };
        for refusal in [state.refused(older), state.refused(registration(1, 1))] {
            assert!(matches!(&refusal, Rejection::OtherRelease(why) if why.contains("supports level")), "{refusal:?}");
        }
        state.apply(RegisterNode { release: release(NEXT.to), ..registration(1, 1) }).unwrap();
    }
}
