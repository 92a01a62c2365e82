//! Where a shard goes whose extent is placed already.

use std::collections::HashMap;

use super::{Domain, LEVELS, candidates, domain_cap};
use crate::cluster_map::{ClusterMap, Disk, Labels};
use crate::id::{DiskNumber, ExtentId, NodeId};
use crate::profile::{FailureDomain, Profile};

/// Why no disk may take a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "none of {eligible} eligible disks may take the shard: each holds another shard of the extent, or stands in a \
     {domain:?} that holds {per_domain} already"
)]
pub struct NoReplacement {
    /// Disks that take shards.
    pub eligible: usize,
    /// Most shards that one failure domain may hold.
    pub per_domain: usize,
    /// The level of the rule.
    pub domain: FailureDomain,
}

/// Chooses the disk for one shard of `extent` whose other shards are on `others`: of all eligible disks that hold none
/// of them and whose failure domain has room (I26), the one whose zone, then rack, then node holds the fewest, and among
/// equals the one with the best straw.
pub fn replacement(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    others: &[DiskNumber],
    eligible: impl Fn(&Disk) -> bool,
) -> Result<DiskNumber, NoReplacement> {
    let candidates = candidates(map, extent, eligible);
    let mut used: HashMap<Domain<'_>, usize> = HashMap::new();
    for disk in others.iter().filter_map(|number| map.disk(*number)) {
        if let Some(labels) = labels(map, disk.node) {
            for level in LEVELS {
                *used.entry(Domain::of(disk.number, disk.node, labels, level)).or_default() += 1;
            }
        }
    }
    let cap = domain_cap(profile);
    let count = |c: &super::Candidate<'_>, level| used.get(&c.domain(level)).copied().unwrap_or(0);
    let best = candidates
        .iter()
        .filter(|c| count(c, FailureDomain::Disk) == 0 && count(c, profile.failure_domain) < cap)
        .min_by_key(|c| LEVELS.map(|level| count(c, level)));
    let refused = NoReplacement { eligible: candidates.len(), per_domain: cap, domain: profile.failure_domain };
    best.map(|c| c.disk.number).ok_or(refused)
}

fn labels(map: &ClusterMap, node: NodeId) -> Option<&Labels> {
    map.node(node).map(|node| &node.labels)
}
