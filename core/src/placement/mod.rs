//! Placement: weighted rendezvous hashing under failure-domain rules.
//!
//! Every eligible disk draws a straw whose length depends on the extent id, the disk and its weight; the shortest
//! straws win. So each disk gets its weighted share, a disk that leaves moves only its own shards, and everyone with
//! the same map computes the same answer. Source: Thaler and Ravishankar, "Using name-based mappings to increase hit
//! rates" (1998); the straw's length is that of Ceph's straw2 with the sign reversed, `-ln(u) / weight`.

mod replacement;
mod shortfall;

use std::collections::HashMap;

use crate::cluster_map::{ClusterMap, Disk, Labels, Node};
use crate::id::{DiskNumber, ExtentId, NodeId};
use crate::name::BucketName;
use crate::profile::{FailureDomain, Profile, preferred};
use crate::storage_class::StorageClass;

pub use replacement::{Domains, HealthyShard, NoReplacement, relocation, replacement, replacements, spreading};
pub use shortfall::{Shortfall, shortfall};

/// Why an extent cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{needed} shards need as many eligible disks, with at most {per_domain} in each {domain:?}; {placed} could be placed on {eligible} eligible disks"
)]
pub struct PlacementError {
    /// Shards to place.
    pub needed: usize,
    /// Shards for which there was a place.
    pub placed: usize,
    /// Eligible disks.
    pub eligible: usize,
    /// Most shards that one failure domain may hold.
    pub per_domain: usize,
    /// The level of the rule.
    pub domain: FailureDomain,
}

/// Chooses a disk for every shard of `extent`, in the order of the shard indexes.
///
/// `eligible` can rule out disks beyond their state in the map: a gateway excludes those that it cannot reach. No two
/// shards share a disk, and no domain of the profile's level holds more than `m` of them (I26). Within these limits,
/// shards spread over as many zones, racks and nodes as possible.
pub fn place(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    eligible: impl Fn(&Disk) -> bool,
) -> Result<Vec<DiskNumber>, PlacementError> {
    let needed = usize::from(profile.total_shards());
    let candidates = candidates(map, seed(profile, extent), eligible);
    let hard_cap = domain_cap(profile);
    let mut best = Vec::new();
    // A looser soft cap is tried only if a tighter one leaves shards without a place.
    for soft_cap in 1..=needed {
        let picked = pick(&candidates, needed, soft_cap, profile.failure_domain, hard_cap);
        if picked.len() == needed {
            return Ok(picked);
        }
        if picked.len() > best.len() {
            best = picked;
        }
    }
    Err(PlacementError {
        needed,
        placed: best.len(),
        eligible: candidates.len(),
        per_domain: hard_cap,
        domain: profile.failure_domain,
    })
}

/// Chooses the profile and the disks for an object of `object_bytes` and `class` in `bucket`. It is the profile of the
/// rule for such objects (see [`ClusterMap::rule`]). Without a rule, or while there are too few disks for its profile,
/// it is the best of the cluster's own.
///
/// Only a cluster of one disk uses a profile without parity. Any other refuses a write rather than acknowledge it
/// without redundancy, however many disks are away.
pub fn choose(
    map: &ClusterMap,
    bucket: Option<&BucketName>,
    class: Option<StorageClass>,
    object_bytes: u64,
    extent: ExtentId,
    eligible: impl Fn(&Disk) -> bool,
) -> Result<(Profile, Vec<DiskNumber>), PlacementError> {
    let count = map.disks.iter().filter(|d| d.state.takes_shards() && eligible(d)).count();
    let sole = map.disks.len() == 1;
    let needed = if sole { 1 } else { 2 };
    let mut refused = PlacementError { needed, placed: 0, eligible: count, per_domain: 1, domain: FailureDomain::Disk };
    let wanted = map.rule(bucket, class).and_then(|rule| map.profile(rule.pick(object_bytes))).copied();
    for profile in wanted.into_iter().chain(preferred(&map.profiles, object_bytes, count)) {
        if profile.parity_shards == 0 && !sole {
            continue;
        }
        match place(map, &profile, extent, &eligible) {
            Ok(disks) => return Ok((profile, disks)),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

/// Largest number of shards of one extent in one failure domain: `m`, so that losing the domain loses no data. A
/// profile without parity tolerates no loss, so a cap would protect nothing.
fn domain_cap(profile: &Profile) -> usize {
    match profile.parity_shards {
        0 => usize::from(profile.total_shards()),
        m => usize::from(m),
    }
}

/// Plain copies (`k` = 1) with consecutive extent ids that share their disks, a power of two.
///
/// Clients that write tiny objects at the same time then meet in the group commits of a few disks, instead of making
/// every disk sync for a few of them. The load evens out from one set of disks to the next, and the fewer sets there
/// are, the fewer combinations of failed disks lose anything (Cidon et al., "Copysets", 2013). See `docs/adr/0017`.
const PLACED_TOGETHER: u128 = 64;

struct Candidate<'a> {
    disk: &'a Disk,
    node: NodeId,
    labels: &'a Labels,
    /// Shorter is better.
    straw: f64,
}

fn candidates<'a>(map: &'a ClusterMap, seed: u128, eligible: impl Fn(&Disk) -> bool) -> Vec<Candidate<'a>> {
    // The disks of a node are mostly adjacent, so few of them need a search in the list of nodes.
    let mut last: Option<&Node> = None;
    let mut node_of = |id: NodeId| {
        if last.is_none_or(|node| node.id != id) {
            last = map.node(id);
        }
        last
    };
    let may_take = |disk: &&Disk| disk.state.takes_shards() && disk.capacity_bytes > 0 && eligible(disk);
    let mut candidates: Vec<Candidate<'a>> = map
        .disks
        .iter()
        .filter(may_take)
        .filter_map(|disk| {
            let node = node_of(disk.node)?;
            Some(Candidate { disk, node: node.id, labels: &node.labels, straw: straw(seed, disk) })
        })
        .collect();
    candidates.sort_by(|a, b| a.straw.total_cmp(&b.straw).then(a.disk.number.cmp(&b.disk.number)));
    candidates
}

/// The seed of an extent's straws: its id. For plain copies, the id of the first extent of those placed together.
fn seed(profile: &Profile, extent: ExtentId) -> u128 {
    let id = u128::from_be_bytes(extent.to_bytes());
    if profile.data_shards > 1 { id } else { id & !(PLACED_TOGETHER - 1) }
}

/// An exponentially distributed straw with rate `capacity`: the chance of a disk to have the shortest is proportional
/// to its capacity.
fn straw(seed: u128, disk: &Disk) -> f64 {
    let hash = mix(seed, u64::from(disk.number.0));
    // 53 bits make a uniform number in (0, 1].
    let uniform = ((hash >> 11) as f64 + 1.0) / (1u64 << 53) as f64;
    -uniform.ln() / disk.capacity_bytes as f64
}

/// SplitMix64's finalizer over the three words; placement needs good avalanche, not secrecy.
fn mix(seed: u128, disk: u64) -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for word in [(seed >> 64) as u64, seed as u64, disk] {
        state = state.wrapping_add(word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        state ^= state >> 31;
    }
    state
}

/// A failure domain: its level and its name there.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Domain<'a> {
    Zone(&'a str),
    Rack(&'a str, &'a str),
    Node(NodeId),
    Disk(DiskNumber),
}

impl<'a> Domain<'a> {
    fn of(disk: DiskNumber, node: NodeId, labels: &'a Labels, level: FailureDomain) -> Self {
        match level {
            FailureDomain::Zone => Self::Zone(&labels.zone),
            FailureDomain::Rack => Self::Rack(&labels.zone, &labels.rack),
            FailureDomain::Node => Self::Node(node),
            FailureDomain::Disk => Self::Disk(disk),
        }
    }
}

impl<'a> Candidate<'a> {
    fn domain(&self, level: FailureDomain) -> Domain<'a> {
        Domain::of(self.disk.number, self.node, self.labels, level)
    }
}

const LEVELS: [FailureDomain; 4] = [FailureDomain::Zone, FailureDomain::Rack, FailureDomain::Node, FailureDomain::Disk];

/// Picks shards one at a time: of all disks that the caps allow, the one whose zone, then rack, then node holds the
/// fewest shards so far, and among equals the one with the best straw.
fn pick(
    candidates: &[Candidate<'_>],
    needed: usize,
    soft_cap: usize,
    level: FailureDomain,
    hard_cap: usize,
) -> Vec<DiskNumber> {
    let mut used: HashMap<Domain<'_>, usize> = HashMap::new();
    let mut picked = Vec::with_capacity(needed);
    while picked.len() < needed {
        let count = |c: &Candidate<'_>, l| used.get(&c.domain(l)).copied().unwrap_or(0);
        let allowed = |c: &&Candidate<'_>| {
            let in_domain = count(c, level);
            count(c, FailureDomain::Disk) == 0 && in_domain < hard_cap && in_domain < soft_cap
        };
        let Some(best) = candidates.iter().filter(allowed).min_by_key(|c| LEVELS.map(|l| count(c, l))) else {
            break;
        };
        for l in LEVELS {
            *used.entry(best.domain(l)).or_default() += 1;
        }
        picked.push(best.disk.number);
    }
    picked
}

#[cfg(test)]
mod tests;
