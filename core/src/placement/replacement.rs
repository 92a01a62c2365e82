//! Places one shard of an extent whose other shards have their places.

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
    let (level, per_domain) = (position(profile.failure_domain), domain_cap(profile));
    let best = crowd.best(&candidates, |beside| beside[level] < per_domain);
    best.ok_or(NoReplacement { eligible: candidates.len(), per_domain, domain: profile.failure_domain })
}

/// Chooses other disks for the `failed` shards (by index) of an extent that is being written, one after the other as
/// [`replacement`] does, beside the shards that stay: those of `disks`, in the order of the indexes, that are `Some` and
/// have not failed. Returns index and disk of each shard for which there is a place.
pub fn replacements(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    disks: &[Option<DiskNumber>],
    failed: &[usize],
    eligible: impl Fn(&Disk) -> bool,
) -> Vec<(usize, DiskNumber)> {
    let stay = disks.iter().enumerate().filter(|(index, _)| !failed.contains(index));
    let mut others: Vec<DiskNumber> = stay.filter_map(|(_, disk)| *disk).collect();
    let mut replaced = Vec::with_capacity(failed.len());
    for &index in failed {
        let Ok(disk) = replacement(map, profile, extent, &others, &eligible) else { break };
        others.push(disk);
        replaced.push((index, disk));
    }
    replaced
}

/// A shard that could stay where it is, beside the other shards of its extent.
#[derive(Debug, Clone, Copy)]
pub struct HealthyShard<'a> {
    /// The disk that holds it.
    pub on: DiskNumber,
    /// The disks of the other shards.
    pub others: &'a [DiskNumber],
}

/// Chooses another disk for a healthy shard of `extent`, as [`replacement`] does. The new zone, rack and node hold no more
/// of the extent than the old ones do, so moving shards for balance never makes a later loss worse.
pub fn relocation(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    shard: HealthyShard<'_>,
    eligible: impl Fn(&Disk) -> bool,
) -> Option<DiskNumber> {
    elsewhere(map, profile, extent, shard, eligible, |there, here| there <= here)
}

/// As [`relocation`], but only into a failure domain that holds fewer of the other shards than the present one does, so
/// that losing a domain costs the extent less.
pub fn spreading(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    shard: HealthyShard<'_>,
    eligible: impl Fn(&Disk) -> bool,
) -> Option<DiskNumber> {
    elsewhere(map, profile, extent, shard, eligible, |there, here| there < here)
}

/// Another disk for a healthy shard. `allowed` compares how many other shards its failure domain would hold with how many
/// it holds now.
fn elsewhere(
    map: &ClusterMap,
    profile: &Profile,
    extent: ExtentId,
    shard: HealthyShard<'_>,
    eligible: impl Fn(&Disk) -> bool,
    allowed: impl Fn(usize, usize) -> bool,
) -> Option<DiskNumber> {
    let from = map.disk(shard.on)?;
    let labels = labels(map, from.node)?;
    let crowd = Crowd::of(map, shard.others);
    let now = crowd.beside(from.number, from.node, labels);
    let candidates = candidates(map, seed(profile, extent), |disk| disk.number != from.number && eligible(disk));
    let (level, per_domain) = (position(profile.failure_domain), domain_cap(profile));
    crowd.best(&candidates, |beside| beside[level] < per_domain && allowed(beside[level], now[level]) && *beside <= now)
}

/// The failure domains that have a disk that takes shards.
#[derive(Debug)]
pub struct Domains<'a>(Crowd<'a>);

impl<'a> Domains<'a> {
    /// The domains of a cluster.
    pub fn of(map: &'a ClusterMap) -> Self {
        let takers: Vec<DiskNumber> =
            map.disks.iter().filter(|disk| disk.state.takes_shards()).map(|disk| disk.number).collect();
        Self(Crowd::of(map, &takers))
    }

    /// Whether the shards of an extent on `disks` could spread further: one of these domains holds fewer of them than
    /// the fullest would hold without one. A quick check that settles most extents. No straw is drawn, so a yes may
    /// turn out to be wrong; a no never does.
    pub fn may_spread(&self, map: &ClusterMap, level: FailureDomain, disks: &[DiskNumber]) -> bool {
        let at = position(level);
        let held = Crowd::of(map, disks);
        let most = held.0[at].iter().map(|(_, count)| *count).max().unwrap_or(0);
        most > 1 && self.0.0[at].iter().any(|(domain, _)| held.count(at, domain) + 1 < most)
    }
}

/// Shards in a disk's zone, rack and node, and on itself, in the order of [`LEVELS`].
type Beside = [usize; LEVELS.len()];

fn position(level: FailureDomain) -> usize {
    LEVELS.iter().position(|one| *one == level).unwrap_or(0)
}

/// How many shards of an extent each failure domain holds. There are only a few domains on each level, so a linear
/// search is faster than a hash.
#[derive(Debug)]
struct Crowd<'a>([Vec<(Domain<'a>, usize)>; LEVELS.len()]);

impl<'a> Crowd<'a> {
    fn of(map: &'a ClusterMap, disks: &[DiskNumber]) -> Self {
        let mut used: [Vec<(Domain<'_>, usize)>; LEVELS.len()] = Default::default();
        for disk in disks.iter().filter_map(|number| map.disk(*number)) {
            let Some(labels) = labels(map, disk.node) else { continue };
            for (domains, level) in used.iter_mut().zip(LEVELS) {
                let domain = Domain::of(disk.number, disk.node, labels, level);
                match domains.iter_mut().find(|(known, _)| *known == domain) {
                    Some((_, count)) => *count += 1,
                    None => domains.push((domain, 1)),
                }
            }
        }
        Self(used)
    }

    fn beside(&self, disk: DiskNumber, node: NodeId, labels: &'a Labels) -> Beside {
        let mut beside = [0; LEVELS.len()];
        for (at, (count, level)) in beside.iter_mut().zip(LEVELS).enumerate() {
            *count = self.count(at, &Domain::of(disk, node, labels, level));
        }
        beside
    }

    /// Shards in a domain of the level at `at` in [`LEVELS`].
    fn count(&self, at: usize, domain: &Domain<'_>) -> usize {
        self.0[at].iter().find(|(known, _)| known == domain).map_or(0, |(_, count)| *count)
    }

    /// Of the candidates that hold no shard yet and are allowed, the one with the fewest shards in its domains; among
    /// equals the first.
    fn best(&self, candidates: &[Candidate<'a>], allowed: impl Fn(&Beside) -> bool) -> Option<DiskNumber> {
        let rated = candidates.iter().map(|c| (self.beside(c.disk.number, c.node, c.labels), c.disk.number));
        let fit = rated.filter(|(beside, _)| beside[position(FailureDomain::Disk)] == 0 && allowed(beside));
        fit.min_by_key(|(beside, _)| *beside).map(|(_, number)| number)
    }
}

fn labels(map: &ClusterMap, node: NodeId) -> Option<&Labels> {
    map.node(node).map(|node| &node.labels)
}
