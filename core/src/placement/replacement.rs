//! Where a shard goes whose extent is placed already.

use std::collections::HashMap;

use super::{Candidate, Domain, LEVELS, candidates, domain_cap, seed};
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
    let candidates = candidates(map, seed(profile, extent), eligible);
    let crowd = Crowd::of(map, others);
    let best =
        candidates.iter().filter(|c| crowd.has_room(c, profile)).min_by_key(|c| LEVELS.map(|l| crowd.beside(c, l)));
    let per_domain = domain_cap(profile);
    let refused = NoReplacement { eligible: candidates.len(), per_domain, domain: profile.failure_domain };
    best.map(|c| c.disk.number).ok_or(refused)
}

/// Chooses another disk for a shard of `extent` that is well where it is, on `from`, and whose other shards are on
/// `others`: as [`replacement`] does, but nothing that crowds its zone, rack or node more than it stands now, so that
/// moving shards for the sake of balance never makes a later loss worse.
pub fn relocation(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    (from, others): (DiskNumber, &[DiskNumber]),
    eligible: impl Fn(&Disk) -> bool,
) -> Option<DiskNumber> {
    let from = map.disk(from)?;
    let labels = labels(map, from.node)?;
    let crowd = Crowd::of(map, others);
    let now = |level| crowd.count(&Domain::of(from.number, from.node, labels, level));
    let (beside_now, in_domain_now) = (LEVELS.map(now), now(profile.failure_domain));
    let candidates = candidates(map, seed(profile, extent), |disk| disk.number != from.number && eligible(disk));
    let fits = |c: &&Candidate<'_>| {
        crowd.has_room(c, profile)
            && crowd.beside(c, profile.failure_domain) <= in_domain_now
            && LEVELS.map(|level| crowd.beside(c, level)) <= beside_now
    };
    let best = candidates.iter().filter(fits).min_by_key(|c| LEVELS.map(|level| crowd.beside(c, level)));
    best.map(|c| c.disk.number)
}

/// How many shards of an extent each failure domain holds.
struct Crowd<'a>(HashMap<Domain<'a>, usize>);

impl<'a> Crowd<'a> {
    fn of(map: &'a ClusterMap, disks: &[DiskNumber]) -> Self {
        let mut used: HashMap<Domain<'_>, usize> = HashMap::new();
        for disk in disks.iter().filter_map(|number| map.disk(*number)) {
            if let Some(labels) = labels(map, disk.node) {
                for level in LEVELS {
                    *used.entry(Domain::of(disk.number, disk.node, labels, level)).or_default() += 1;
                }
            }
        }
        Self(used)
    }

    fn count(&self, domain: &Domain<'a>) -> usize {
        self.0.get(domain).copied().unwrap_or(0)
    }

    fn beside(&self, candidate: &Candidate<'a>, level: FailureDomain) -> usize {
        self.count(&candidate.domain(level))
    }

    /// Whether a further shard may go there (I26).
    fn has_room(&self, candidate: &Candidate<'a>, profile: &Profile) -> bool {
        self.beside(candidate, FailureDomain::Disk) == 0
            && self.beside(candidate, profile.failure_domain) < domain_cap(profile)
    }
}

fn labels(map: &ClusterMap, node: NodeId) -> Option<&Labels> {
    map.node(node).map(|node| &node.labels)
}
