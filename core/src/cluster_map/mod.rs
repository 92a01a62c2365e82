//! The cluster map: the nodes and disks, their places and states, and the profiles in force.

mod disk;
mod life;
mod node;
mod rules;

use minicbor::{Decode, Encode};

pub use disk::{Disk, DiskState, Standing};
pub use life::{DiskEvent, LifeError, step};
pub use node::{Labels, Node};
pub use rules::{ProfileRule, RULES_MAX};

use crate::id::{ClusterId, DiskId, DiskNumber, Epoch, NodeId, ProfileId};
use crate::name::BucketName;
use crate::profile::Profile;
use crate::release::FeatureLevel;
use crate::storage_class::StorageClass;

/// One version of the cluster map. Immutable once published; a change makes a map of the next epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClusterMap {
    /// The cluster that the map describes.
    #[n(0)]
    pub cluster: ClusterId,
    /// The version. Grows by one with each change.
    #[n(1)]
    pub epoch: Epoch,
    /// All nodes ever accepted, in the order of their acceptance.
    #[n(2)]
    pub nodes: Vec<Node>,
    /// All disks ever accepted, ordered by number.
    #[n(3)]
    pub disks: Vec<Disk>,
    /// The profiles of new extents, unless a rule says otherwise.
    #[n(4)]
    pub profiles: Vec<Profile>,
    /// The profiles of all rules that were ever set. Extents may refer to them even when the rule is gone.
    #[n(5)]
    #[cbor(default)]
    pub made: Vec<Profile>,
    /// The rules for new extents of any storage class.
    #[n(6)]
    #[cbor(default)]
    pub rules: Vec<ProfileRule>,
    /// The rules for one storage class. They are a separate field because a release that knows no classes would apply
    /// them to all.
    #[n(7)]
    #[cbor(default)]
    pub class_rules: Vec<ProfileRule>,
    /// What the processes of the cluster use of what their releases can do.
    #[n(8)]
    pub level: FeatureLevel,
}

impl ClusterMap {
    /// The map of a cluster without nodes, at the highest level that this release supports.
    pub fn empty(cluster: ClusterId, profiles: Vec<Profile>) -> Self {
        Self {
            level: FeatureLevel::NEWEST,
            cluster,
            epoch: Epoch(1),
            nodes: Vec::new(),
            disks: Vec::new(),
            profiles,
            made: Vec::new(),
            rules: Vec::new(),
            class_rules: Vec::new(),
        }
    }

    /// The disk called `number`.
    pub fn disk(&self, number: DiskNumber) -> Option<&Disk> {
        self.disks.binary_search_by_key(&number, |d| d.number).ok().and_then(|i| self.disks.get(i))
    }

    /// The disk with identity `id`.
    pub fn disk_by_id(&self, id: DiskId) -> Option<&Disk> {
        self.disks.iter().find(|d| d.id == id)
    }

    /// The node with identity `id`.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.iter().find(|n| n.id == id)
    }

    /// The profile called `id`.
    pub fn profile(&self, id: ProfileId) -> Option<&Profile> {
        self.all_profiles().find(|profile| profile.id == id)
    }

    /// Every profile that an extent may have.
    pub fn all_profiles(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.iter().chain(&self.made)
    }

    /// The rules for all storage classes, then those for one.
    pub fn all_rules(&self) -> impl Iterator<Item = &ProfileRule> {
        self.rules.iter().chain(&self.class_rules)
    }

    /// The most specific rule for new extents of `class` in `bucket`: for bucket and class, else for the bucket, else
    /// for the class, else for all. `None` for a bucket or class means one without a rule of its own.
    pub fn rule(&self, bucket: Option<&BucketName>, class: Option<StorageClass>) -> Option<&ProfileRule> {
        self.all_rules().filter(|rule| rule.covers(bucket, class)).max_by_key(|rule| rule.specificity())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(name: &str) -> BucketName {
        BucketName::new(name).unwrap()
    }

    /// A map with a rule for each scope, whose profile has the number of the rule in the list.
    fn map(scopes: &[(Option<&str>, Option<StorageClass>)]) -> ClusterMap {
        let mut map = ClusterMap::empty(ClusterId::from_bytes([1; 16]), Vec::new());
        for (number, (name, class)) in (1u16..).zip(scopes) {
            let (large, small) = (ProfileId(number), ProfileId(number));
            let rule = ProfileRule { bucket: name.map(bucket), class: *class, large, small, small_bytes_max: 0 };
            if class.is_some() { map.class_rules.push(rule) } else { map.rules.push(rule) }
        }
        map
    }

    #[test]
    fn the_most_specific_rule_wins() {
        use StorageClass::{GlacierIr, Standard, StandardIa};
        let scopes = [(None, None), (None, Some(StandardIa)), (Some("logs"), None), (Some("logs"), Some(StandardIa))];
        let check = |map: &ClusterMap, wanted: &[(Option<&str>, Option<StorageClass>, u16)]| {
            for (name, class, expected) in wanted {
                let name = name.map(bucket);
                let found = map.rule(name.as_ref(), *class).map_or(0, |rule| rule.large.0);
                assert_eq!(found, *expected, "{name:?} {class:?}");
            }
        };
        let all = map(&scopes);
        let wanted = [
            (Some("logs"), Some(StandardIa), 4),
            (Some("logs"), Some(Standard), 3),
            (Some("logs"), Some(GlacierIr), 3),
            (Some("logs"), None, 3),
            (Some("others"), Some(StandardIa), 2),
            (None, Some(StandardIa), 2),
            (Some("others"), Some(Standard), 1),
            (None, None, 1),
        ];
        check(&all, &wanted);
        // The order of the lists does not matter.
        let mut turned = all.clone();
        turned.rules.reverse();
        turned.class_rules.reverse();
        check(&turned, &wanted);
        check(
            &map(&scopes[1..2]),
            &[(Some("logs"), Some(StandardIa), 1), (Some("logs"), Some(Standard), 0), (None, None, 0)],
        );
        check(&map(&scopes[1..3]), &[(Some("logs"), Some(StandardIa), 2), (Some("others"), Some(StandardIa), 1)]);
    }

    /// I30: gateways of the release before there were classes see no rule of a class.
    #[test]
    fn rules_of_a_class_are_in_a_field_of_their_own() {
        #[derive(Decode)]
        #[cbor(map)]
        struct Before {
            #[n(6)]
            rules: Vec<ProfileRule>,
        }
        let all = map(&[(Some("logs"), Some(StorageClass::OnezoneIa)), (None, None)]);
        let bytes = minicbor::to_vec(&all).unwrap();
        assert_eq!(minicbor::decode::<ClusterMap>(&bytes).unwrap(), all);
        assert_eq!(minicbor::decode::<Before>(&bytes).unwrap().rules, all.rules);
    }
}
