//! The client of the admin API, used by the verbs.

mod client;
mod discovery;

pub use cairn_server::admin::model::{
    Amount, AtRisk, ClusterStatus, CycleEntry, DiskCounts, DiskEntry, DiskProgress, DiskShare, DiskState, FindingEntry,
    FindingKind, MemberRole, MetadataMember, MetadataMembers, NodeEntry, NodeState, ObjectAtRisk, PlacedExtent,
    PlacedShard, Placement, ProcessRelease, ProcessRole, ProfileEntry, ProfileNames, ProfileRule, QueuedShard,
    RebalanceForecast, RebalanceState, RebalanceStatus, Reconciled, RecoveryFinding, RepairStatus, RunningRebuild,
    ScrubEntry, ScrubProgress, ScrubStarted, StoredBackup, UpgradeStatus, Verification, VerifiedDisk, VerifyReport,
};
pub use client::{AdminClient, AdminError};
pub use discovery::{DiscoveryError, KeySource, Keys, discover_endpoint, discover_keys};
