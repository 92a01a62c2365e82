//! One direction between two roles is cut, each in turn, and a member that nobody reaches: who cannot call whom is still called.

use std::time::{Duration, Instant};

use cairn_tests::network::Network;
use cairn_tests::{Ledger, ProcessCluster, RunningLoad, STORAGE_NODES, Tuning, node_host, seed};

use super::*;

pub(crate) const MEMBERS: u8 = 3;
/// Seconds without a heartbeat after which a node counts as silent.
const SILENCE_S: u64 = 2;
/// Acknowledged changes that are awaited while a direction is cut, and once it is there again.
const CHANGES: u64 = 25;
/// How long a cut lasts at least: longer than it takes to elect a leader, and to notice a silent node.
const LASTS: Duration = Duration::from_secs(6);

/// How much of the Raft log members keep: little, so that one that was away for a while needs a snapshot.
const LOG_KEPT: &str = "256KiB";

/// Hosts for the members and the storage nodes.
pub(crate) fn network() -> Result<Network, String> {
    let mut network = Network::create()?;
    for host in 1..=MEMBERS {
        network.add_host(host)?;
    }
    for node in 0..STORAGE_NODES {
        network.add_host(node_host(node))?;
    }
    Ok(network)
}

/// A cluster on those hosts, with an empty bucket.
pub(crate) async fn start_on(network: Network) -> ProcessCluster {
    let tuning = Tuning { repair_grace_s: 60, node_silence_s: SILENCE_S, ..Tuning::default() };
    let cluster = ProcessCluster::builder()
        .members(usize::from(MEMBERS))
        .disks_per_node(DISKS_PER_NODE)
        .tuning(tuning)
        .log_kept(LOG_KEPT)
        .network(Some(network));
    let cluster = cluster.start().await;
    cluster.client(0).create_bucket(BUCKET).await.unwrap();
    cluster
}

/// Who calls in vain.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// The leader cannot call a follower.
    LeaderToFollower,
    FollowerToLeader,
    FollowerToFollower,
    /// Nobody can call a follower.
    ToFollower,
    /// Nobody can call the leader.
    ToLeader,
    MembersToNode,
    NodeToMembers,
    NodeToNode,
    GatewaysToNode,
    GatewaysToLeader,
}

impl Cut {
    pub(crate) const ALL: [Self; 10] = [
        Self::LeaderToFollower,
        Self::FollowerToLeader,
        Self::FollowerToFollower,
        Self::ToFollower,
        Self::ToLeader,
        Self::MembersToNode,
        Self::NodeToMembers,
        Self::NodeToNode,
        Self::GatewaysToNode,
        Self::GatewaysToLeader,
    ];
}

/// The hosts and their ports, as one cut needs them.
struct Roles {
    leader: u8,
    followers: [u8; 2],
    member_ports: [u16; MEMBERS as usize],
    node_ports: Vec<u16>,
}

impl Roles {
    async fn of(cluster: &ProcessCluster) -> Self {
        let port = |addr: &str| addr.rsplit_once(':').unwrap().1.parse().unwrap();
        let leader = cluster.metadata_leader().await as u8 + 1;
        let other = |n| (leader - 1 + n) % MEMBERS + 1;
        Self {
            leader,
            followers: [other(1), other(2)],
            member_ports: [0, 1, 2].map(|index| port(&cluster.metadata_addr(index))),
            node_ports: cluster.node_addrs().iter().map(|addr| port(addr)).collect(),
        }
    }

    fn members(&self) -> [u8; 3] {
        [self.leader, self.followers[0], self.followers[1]]
    }

    /// Cuts or heals.
    fn set(&self, network: &Network, cut: Cut, is_cut: bool) {
        let [follower, third] = self.followers;
        let port = |member: u8| self.member_ports[usize::from(member) - 1];
        let to_member = |from, member| network.set_unheard(from, member, port(member), is_cut);
        let to_node = |from, node: usize| network.set_unheard(from, node_host(node), self.node_ports[node], is_cut);
        let to_everybodys = |member: u8| {
            self.members().into_iter().filter(|from| *from != member).for_each(|from| to_member(from, member));
            (0..STORAGE_NODES).for_each(|node| to_member(node_host(node), member));
            network.set_mute(member, port(member), is_cut);
        };
        match cut {
            Cut::LeaderToFollower => to_member(self.leader, follower),
            Cut::FollowerToLeader => to_member(follower, self.leader),
            Cut::FollowerToFollower => to_member(follower, third),
            Cut::ToFollower => to_everybodys(follower),
            Cut::ToLeader => to_everybodys(self.leader),
            Cut::MembersToNode => self.members().into_iter().for_each(|from| to_node(from, 0)),
            Cut::NodeToMembers => self.members().into_iter().for_each(|member| to_member(node_host(0), member)),
            Cut::NodeToNode => to_node(node_host(1), 0),
            Cut::GatewaysToNode => network.set_mute(node_host(0), self.node_ports[0], is_cut),
            Cut::GatewaysToLeader => network.set_mute(self.leader, port(self.leader), is_cut),
        }
    }
}

/// Cuts, waits until clients made progress all the same, and heals. Returns how long the first progress took.
pub(crate) async fn strike(cluster: &ProcessCluster, running: &RunningLoad, cut: Cut) -> Duration {
    let roles = Roles::of(cluster).await;
    let network = cluster.network().expect("a network");
    let begun = Instant::now();
    roles.set(network, cut, true);
    running.advance(CHANGES, &format!("during {cut:?}")).await;
    let took = begun.elapsed();
    tokio::time::sleep(LASTS.saturating_sub(took)).await;
    roles.set(network, cut, false);
    running.advance(CHANGES, &format!("after {cut:?}")).await;
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_direction_that_is_cut_stops_nobody_who_does_not_need_it() {
    let network = match network() {
        Ok(network) => network,
        Err(why) => return eprintln!("SKIPPED, hosts of their own need root and iproute2: {why}"),
    };
    let (seed, rounds) = (seed(), count("CAIRN_ONE_WAY_ROUNDS", 1));
    let mut cluster = start_on(network).await;
    let running = load(&cluster, Ledger::new(), seed);
    running.advance(CHANGES, "before the first cut").await;
    let mut longest = Duration::ZERO;
    for _ in 0..rounds {
        for cut in Cut::ALL {
            let took = strike(&cluster, &running, cut).await;
            eprintln!("{cut:?}: {CHANGES} changes in {:.1} s", took.as_secs_f64());
            longest = longest.max(took);
        }
    }
    cluster.wait_disks_active().await;
    let acknowledged = running.acknowledged();
    let mut ledger = running.stop_kept().await;
    kept(&cluster, &mut ledger, "after all cuts").await;
    cluster.stop_sound("after all cuts").await;
    let cuts = rounds as usize * Cut::ALL.len();
    eprintln!(
        "one-way: {cuts} cuts, {acknowledged} changes acknowledged, 0 lost, longest wait for {CHANGES} of them {:.1} s",
        longest.as_secs_f64()
    );
}
