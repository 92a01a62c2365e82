//! Stored commands on the cluster map and on profiles.

use cairn_core::cluster_map::{DiskEvent, DiskState, Labels};
use cairn_core::id::{ClusterId, DiskId, NodeId};
use cairn_core::name::BucketName;
use cairn_core::release::{FeatureLevel, Release};
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::command::{DiskRegistration, ProfileShape};

use super::macros::stored;

stored!(map RegisterNode {
    0 cluster: Option<ClusterId>,
    1 node: NodeId,
    2 name: String,
    3 rpc_addr: String,
    4 labels: Labels,
    5 disks: Vec<DiskRegistration>,
    6 release: Release,
});
stored!(array RaiseLevel { 0 to: FeatureLevel });
stored!(array SetDiskStates { 0 states: Vec<(DiskId, DiskState)> });
stored!(map ChangeDisks { 0 changes: Vec<(DiskId, DiskEvent)>, 1 force: bool });
stored!(map SetProfile {
    0 bucket: Option<BucketName>,
    1 shapes: Option<(ProfileShape, ProfileShape)>,
    2 small_bytes_max: u64,
});
stored!(map SetClassProfile { 0 class: StorageClass, 1 rule: SetProfile });
