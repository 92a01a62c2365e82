//! What the admin API answers, one file for each noun. The comments here are the descriptions in `docs/openapi.json`.
//! A client ignores fields that it does not know, and reads names of states that it does not know as `Unknown`.

mod cluster;
mod disk;
mod metadata;
mod named;
mod placement;
mod profile;
mod rebalance;
mod repair;
mod scrub;
mod upgrade;
mod verify;

pub use cluster::{ClusterStatus, DiskCounts, NodeEntry, NodeState, ProfileNames};
pub use disk::{DiskEntry, DiskProgress, DiskState};
pub use metadata::{
    FindingKind, MemberRole, MetadataMember, MetadataMembers, Reconciled, RecoveryFinding, StoredBackup,
};
pub use placement::{PlacedExtent, PlacedShard, Placement, ShardHolds};
pub use profile::{FailureDomain, ProfileEntry, ProfileMaker, ProfileRule};
pub use rebalance::{DiskShare, RebalanceForecast, RebalanceState, RebalanceStatus};
pub use repair::{QueueCause, QueuedShard, RepairStatus, RunningRebuild};
pub use scrub::{CycleEntry, DamageKind, FindingEntry, ScrubEntry, ScrubProgress, ScrubStarted};
pub use upgrade::{ProcessRelease, ProcessRole, UpgradeStatus};
pub use verify::{Amount, AtRisk, ObjectAtRisk, Verification, VerifiedDisk, VerifyReport};
