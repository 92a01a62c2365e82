//! The cluster map: which nodes and disks there are, where they stand and in what state, and the profiles in force.

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

/// One version of the cluster map. Immutable once published; a change makes a map of the next epoch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClusterMap {
    /// The cluster that the map describes.
    #[n(0)]
    pub cluster: ClusterId,
    /// Version: grows by one with each change.
    #[n(1)]
    pub epoch: Epoch,
    /// All nodes ever accepted, in the order of their acceptance.
    #[n(2)]
    pub nodes: Vec<Node>,
    /// All disks ever accepted, ordered by number.
    #[n(3)]
    pub disks: Vec<Disk>,
    /// The profiles that extents get where no rule says otherwise.
    #[n(4)]
    pub profiles: Vec<Profile>,
    /// The profiles that rules were made of, in force or not: extents refer to them for as long as they live.
    #[n(5)]
    #[cbor(default)]
    pub made: Vec<Profile>,
    /// What the operator wants of new extents: at most one rule for each bucket, and one for all others.
    #[n(6)]
    #[cbor(default)]
    pub rules: Vec<ProfileRule>,
}

impl ClusterMap {
    /// The map of a cluster without any node.
    pub fn empty(cluster: ClusterId, profiles: Vec<Profile>) -> Self {
        let (made, rules) = (Vec::new(), Vec::new());
        Self { cluster, epoch: Epoch(1), nodes: Vec::new(), disks: Vec::new(), profiles, made, rules }
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
        self.profiles.iter().chain(&self.made).find(|profile| profile.id == id)
    }

    /// The rule for new extents of `bucket`: its own, else that of all buckets.
    pub fn rule(&self, bucket: Option<&BucketName>) -> Option<&ProfileRule> {
        let of = |wanted: Option<&BucketName>| self.rules.iter().find(|rule| rule.bucket.as_ref() == wanted);
        bucket.and_then(|bucket| of(Some(bucket))).or_else(|| of(None))
    }
}
