//! Which disks have been away for too long, and when that is rather a sign that the leader itself is cut off.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use cairn_core::cluster_map::{ClusterMap, Disk, DiskState, Standing};
use cairn_core::id::{DiskId, NodeId};

use crate::jobs::health::is_silent;
use crate::leader::Memory;
use crate::state::tables::absences::Absences;

/// Nodes that may be silent at the same time and are still given up, as a fraction of all: one of so many. Beyond that
/// it is more likely that the network is cut than that so many nodes are lost, and rebuilding their shards would move
/// a large part of the data for nothing.
const SILENT_FRACTION: usize = 3;
/// Time between two warnings that disks are not given up.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);

/// How long a disk may be away.
#[derive(Debug, Clone, Copy)]
pub(super) struct AwayLimits {
    /// Time after which a disk that is away is given up.
    pub(super) grace: Duration,
    /// Time without a heartbeat after which a node is silent.
    pub(super) silence: Duration,
}

/// Parts of the grace period after which the next leader is told how long a disk has been away.
const NOTES_PER_GRACE: u32 = 20;
/// Times of silence for which a leader has missed a disk itself before it gives it up, whatever its predecessors have seen.
const OWN_SILENCES: u32 = 2;

/// How long a disk has been away.
#[derive(Debug, Clone, Copy)]
struct Away {
    /// As earlier leaders have seen it.
    before: Duration,
    /// When this leader saw it first.
    since: Duration,
}

impl Away {
    fn for_all(self, now: Duration) -> Duration {
        self.before.saturating_add(now.saturating_sub(self.since))
    }
}

/// How long each disk has been away, as the leaders have seen it one after the other.
#[derive(Debug)]
pub(super) struct Patience {
    away: HashMap<DiskId, Away>,
    /// What is written down for the next leader.
    noted: BTreeMap<DiskId, Duration>,
    /// Silent nodes whose disks are not failed, because too many nodes are silent at once.
    held_back: Vec<NodeId>,
    warned: Option<Duration>,
}

impl Patience {
    /// Goes on from what earlier leaders have written down.
    pub(super) fn resume(noted: &Absences) -> Self {
        Self { away: HashMap::new(), noted: noted.durations(), held_back: Vec::new(), warned: None }
    }

    /// What to write down now for the next leader, if it is not written yet: the time in coarse steps, rounded down.
    pub(super) fn to_note(&self, now: Duration, grace: Duration) -> Option<Absences> {
        let step = (grace / NOTES_PER_GRACE).max(Duration::from_secs(1)).as_secs();
        let coarse = |away: &Away| Duration::from_secs(away.for_all(now).as_secs() / step * step);
        let times = self.away.iter().map(|(disk, away)| (*disk, coarse(away)));
        let wanted: BTreeMap<DiskId, Duration> = times.filter(|(_, time)| !time.is_zero()).collect();
        (wanted != self.noted).then(|| wanted.into_iter().collect())
    }

    /// What is written down from now on.
    pub(super) fn noted(&mut self, noted: &Absences) {
        self.noted = noted.durations();
    }

    /// The disks that have been absent for the grace period and are to be failed: those that their node reports missing and,
    /// while at most a third of the nodes is silent, those of silent nodes. If more nodes are silent, their grace starts
    /// over afterwards, so that nodes that return one after the other are not failed on the way.
    pub(super) fn look(&mut self, map: &ClusterMap, memory: &Memory, now: Duration, limits: AwayLimits) -> Vec<DiskId> {
        let is_away = |disk: &&Disk| disk.state == DiskState::Unavailable;
        let away: HashMap<DiskId, NodeId> = map.disks.iter().filter(is_away).map(|d| (d.id, d.node)).collect();
        self.away.retain(|id, _| away.contains_key(id));
        // The state has forgotten them too.
        self.noted.retain(|id, _| away.contains_key(id));
        let silent: HashSet<NodeId> =
            away.values().copied().filter(|node| is_silent(*node, memory, now, limits.silence)).collect();
        // Those that were given up or removed before are no longer expected.
        let is_expected = |disk: &&Disk| disk.standing != Standing::Removed && disk.state != DiskState::Failed;
        let expected: HashSet<NodeId> = map.disks.iter().filter(is_expected).map(|disk| disk.node).collect();
        let holds_back = SILENT_FRACTION * silent.len() > expected.len();
        self.tell(map, &silent, expected.len(), holds_back, now);
        let mut over = Vec::new();
        for disk in map.disks.iter().filter(is_away) {
            let before = self.noted.get(&disk.id).copied().unwrap_or_default();
            let away = self.away.entry(disk.id).or_insert(Away { before, since: now });
            let own = now.saturating_sub(away.since);
            if holds_back && silent.contains(&disk.node) {
                *away = Away { before: Duration::ZERO, since: now };
            } else if away.for_all(now) >= limits.grace && own >= (limits.silence * OWN_SILENCES).min(limits.grace) {
                over.push(disk.id);
            }
        }
        over
    }

    /// The names of the nodes that are silent, and not given up because they are too many.
    pub(super) fn held_back(&self, map: &ClusterMap) -> Vec<String> {
        self.held_back.iter().filter_map(|id| map.node(*id)).map(|node| node.name.clone()).collect()
    }

    fn tell(&mut self, map: &ClusterMap, silent: &HashSet<NodeId>, expected: usize, holds_back: bool, now: Duration) {
        let was_holding = !self.held_back.is_empty();
        self.held_back = if holds_back { silent.iter().copied().collect() } else { Vec::new() };
        self.held_back.sort_unstable();
        if !holds_back {
            if was_holding {
                tracing::info!("at most a third of the storage nodes is silent again; repair continues");
            }
            self.warned = None;
            return;
        }
        if self.warned.is_some_and(|at| now.saturating_sub(at) < WARNING_INTERVAL) {
            return;
        }
        self.warned = Some(now);
        tracing::error!(
            "{} of {expected} storage nodes are silent at once ({}): the network is more likely cut than all of them \
             lost, so their shards are NOT rebuilt elsewhere; bring the nodes back, check this member's network, or \
             `cairn node drain NAME --force` those that are lost for good",
            silent.len(),
            self.held_back(map).join(", "),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leader::Heard;
    use cairn_core::cluster_map::{Labels, Node};
    use cairn_core::id::{ClusterId, DiskNumber};
    use cairn_core::release::Release;

    const LIMITS: AwayLimits = AwayLimits { grace: Duration::from_mins(1), silence: Duration::from_secs(5) };

    fn node(number: u8) -> NodeId {
        NodeId::from_bytes([number; 16])
    }

    fn disk(number: u8) -> DiskId {
        DiskId::from_bytes([number; 16])
    }

    /// Nodes 1 to `nodes` with a disk each, of which those in `away` are unavailable and those in `failed` given up.
    fn map(nodes: u8, away: &[u8], failed: &[u8]) -> ClusterMap {
        let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), Vec::new());
        for n in 1..=nodes {
            let (name, labels) = (format!("node{n}"), Labels::default());
            map.nodes.push(Node { id: node(n), name, rpc_addr: String::new(), labels, release: Release::current() });
            let state = match n {
                n if away.contains(&n) => DiskState::Unavailable,
                n if failed.contains(&n) => DiskState::Failed,
                _ => DiskState::Active,
            };
            map.disks.push(Disk {
                number: DiskNumber(u32::from(n)),
                id: disk(n),
                node: node(n),
                path: String::new(),
                capacity_bytes: 1,
                state,
                standing: Standing::Member,
            });
        }
        map
    }

    /// The memory of a leader that has just heard of all nodes but `silent`.
    fn memory(nodes: u8, silent: &[u8], now: Duration) -> Memory {
        let mut memory = Memory::default();
        for n in (1..=nodes).filter(|n| !silent.contains(n)) {
            memory.heard.insert(node(n), Heard { at: now, status: None });
        }
        memory
    }

    /// The disks that are failed after two minutes without a change.
    fn check(nodes: u8, away: &[u8], silent: &[u8], failed: &[u8], expected: &[u8], held_back: usize) {
        let (map, mut patience) = (map(nodes, away, failed), Patience::resume(&Absences::default()));
        let mut over = Vec::new();
        for second in [10, 130] {
            let now = Duration::from_secs(second);
            over = patience.look(&map, &memory(nodes, silent, now), now, LIMITS);
        }
        let expected: Vec<DiskId> = expected.iter().copied().map(disk).collect();
        assert_eq!(over, expected, "{nodes} nodes, away {away:?}, silent {silent:?}, failed {failed:?}");
        assert_eq!(patience.held_back(&map).len(), held_back);
    }

    /// I25: a leader that is cut off from many nodes moves nothing.
    #[test]
    fn more_than_a_third_of_the_nodes_is_not_failed_at_once() {
        check(6, &[1, 2], &[1, 2], &[], &[1, 2], 0);
        check(6, &[1, 2, 3], &[1, 2, 3], &[], &[], 3);
        check(6, &[1, 2, 3], &[1], &[], &[1, 2, 3], 0);
        check(6, &[1, 2, 3, 4], &[1, 2, 3], &[], &[4], 3);
        check(3, &[1], &[1], &[], &[1], 0);
        check(2, &[1], &[1], &[], &[], 1);
        check(6, &[3], &[1, 2, 3], &[1, 2], &[3], 0);
    }

    #[test]
    fn the_grace_starts_over_when_enough_nodes_are_back() {
        let mut patience = Patience::resume(&Absences::default());
        let mut look = |second, silent: &[u8]| {
            let now = Duration::from_secs(second);
            patience.look(&map(6, silent, &[]), &memory(6, silent, now), now, LIMITS)
        };
        for second in [10, 70, 130] {
            assert_eq!(look(second, &[1, 2, 3]), []);
        }
        assert_eq!(look(131, &[2, 3]), [], "the others are on their way back");
        assert_eq!(look(189, &[3]), []);
        assert_eq!(look(190, &[3]), [disk(3)]);
    }

    /// A change of leader does not begin the grace anew: each goes on from what the one before has written down.
    #[test]
    fn the_grace_goes_on_with_the_next_leader() {
        let (map, seconds) = (map(6, &[1], &[]), Duration::from_secs);
        let mut written = Absences::default();
        let mut notes = 0;
        // Leaders of 25 seconds each, whose clocks have nothing in common.
        for (term, start) in [7000, 20, 900].into_iter().enumerate() {
            let mut patience = Patience::resume(&written);
            for second in start..start + 25 {
                let now = seconds(second);
                let over = patience.look(&map, &memory(6, &[1], now), now, LIMITS);
                let waited = 24 * term as u64 + second - start;
                assert!(over.is_empty() || waited >= 60, "never early: {waited}");
                assert!(over == [disk(1)] || waited < 66, "hardly late: {waited}");
                if let Some(absences) = patience.to_note(now, LIMITS.grace) {
                    patience.noted(&absences);
                    (written, notes) = (absences, notes + 1);
                }
            }
        }
        assert!((10..=NOTES_PER_GRACE + 5).contains(&notes), "{notes} notes");
    }

    #[test]
    fn what_is_written_down_follows_returns_and_cuts() {
        let noted: Absences = [(disk(1), LIMITS.grace), (disk(2), LIMITS.grace)].into_iter().collect();
        let mut patience = Patience::resume(&noted);
        let mut look = |second, away: &[u8], silent: &[u8]| {
            let now = Duration::from_secs(second);
            let over = patience.look(&map(6, away, &[]), &memory(6, silent, now), now, LIMITS);
            let note = patience.to_note(now, LIMITS.grace);
            if let Some(note) = &note {
                patience.noted(note);
            }
            (over, note.map(|note| note.durations().len()))
        };
        assert_eq!(look(100, &[1], &[1]), (vec![], None), "it may be on its way to this leader");
        assert_eq!(look(110, &[1], &[1]), (vec![disk(1)], Some(1)));
        assert_eq!(look(111, &[1, 2, 3], &[1, 2, 3]), (vec![], Some(0)), "too many at once: their grace starts over");
        assert_eq!(look(112, &[2], &[2]), (vec![], None));
        assert_eq!(look(170, &[2], &[2]), (vec![], Some(1)));
        assert_eq!(look(171, &[2], &[2]), (vec![disk(2)], Some(1)));
    }
}
