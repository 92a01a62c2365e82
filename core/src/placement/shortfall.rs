//! What a cluster lacks for a profile.

use std::collections::HashMap;

use super::{Domain, domain_cap};
use crate::cluster_map::ClusterMap;
use crate::profile::{FailureDomain, Profile};

/// Why a cluster cannot hold extents of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{needed} shards with at most {per_domain} in each {domain} find only {placed} places: {missing} more {domain}{} \
     with enough disks {} needed", if *missing == 1 { "" } else { "s" }, if *missing == 1 { "is" } else { "are" }
)]
pub struct Shortfall {
    /// Shards to place.
    pub needed: usize,
    /// Shards that have a place.
    pub placed: usize,
    /// Most shards in one failure domain.
    pub per_domain: usize,
    /// The level of the rule.
    pub domain: FailureDomain,
    /// Failure domains that are missing.
    pub missing: usize,
}

/// What the cluster lacks for `profile`; `None` if it can hold such extents. Disks that are only away for a while
/// count.
pub fn shortfall(map: &ClusterMap, profile: &Profile) -> Option<Shortfall> {
    let level = profile.failure_domain;
    // A disk never holds two shards of an extent, whatever the rule.
    let per_domain = if level == FailureDomain::Disk { 1 } else { domain_cap(profile) };
    let mut disks: HashMap<Domain<'_>, usize> = HashMap::new();
    for disk in map.disks.iter().filter(|disk| !disk.is_leaving()) {
        if let Some(node) = map.node(disk.node) {
            *disks.entry(Domain::of(disk.number, node.id, &node.labels, level)).or_default() += 1;
        }
    }
    let needed = usize::from(profile.total_shards());
    let placed: usize = disks.values().map(|count| (*count).min(per_domain)).sum();
    let missing = needed.saturating_sub(placed).div_ceil(per_domain.max(1));
    (missing > 0).then_some(Shortfall { needed, placed, per_domain, domain: level, missing })
}
