//! The cluster map: which nodes and disks there are, where they stand and in what state, and the profiles in force.

mod disk;
mod life;
mod node;

use minicbor::{Decode, Encode};

pub use disk::{Disk, DiskState, Standing};
pub use life::{DiskEvent, LifeError, step};
pub use node::{Labels, Node};

use crate::id::{ClusterId, DiskId, DiskNumber, Epoch, NodeId};
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
    /// The profiles in force.
    #[n(4)]
    pub profiles: Vec<Profile>,
}

impl ClusterMap {
    /// The map of a cluster without any node.
    pub fn empty(cluster: ClusterId, profiles: Vec<Profile>) -> Self {
        Self { cluster, epoch: Epoch(1), nodes: Vec::new(), disks: Vec::new(), profiles }
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
}
