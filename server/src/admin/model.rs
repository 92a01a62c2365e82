//! What the admin API answers. Fields that this version does not know are ignored.

mod profile;
mod rebalance;

use serde::{Deserialize, Serialize};

pub use cairn_recovery::audit::{Amount, AtRisk, ObjectAtRisk};
pub use profile::{ProfileEntry, ProfileRule};
pub use rebalance::{DiskShare, RebalanceForecast, RebalanceStatus};

/// The answer to `GET /v1/cluster`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterStatus {
    /// The cluster's identity.
    pub cluster_id: String,
    /// Version of the cluster map.
    pub epoch: u64,
    /// The newest commit.
    pub commit: u64,
    /// Buckets.
    pub buckets: u64,
    /// Objects.
    pub objects: u64,
    /// Their bytes, before coding.
    pub object_bytes: u64,
    /// Multipart uploads under way.
    pub uploads: u64,
    /// Entries that wait for their space to be given back.
    pub reclaim_entries: u64,
    /// Shards that wait for repair.
    pub repair_entries: u64,
    /// Open gateway sessions.
    pub sessions: u64,
    /// Storage nodes.
    pub nodes: Vec<NodeEntry>,
    /// Disks by state.
    pub disks: DiskCounts,
    /// Profiles of new objects.
    pub profile: ProfileNames,
    /// Bytes that the disks may hold together.
    pub capacity_bytes: u64,
    /// Bytes that they hold.
    pub used_bytes: u64,
}

/// A storage node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeEntry {
    /// Its identity.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where its internal RPC listens; empty for a node that only its own process uses.
    pub rpc_addr: String,
    /// The zone that it stands in; empty where there is only one.
    #[serde(default)]
    pub zone: String,
    /// The rack inside the zone.
    #[serde(default)]
    pub rack: String,
    /// Its state.
    pub state: String,
    /// Milliseconds since it was last heard of; nothing if it was not since the leader started.
    pub last_heard_ms: Option<u64>,
}

/// Disks by state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskCounts {
    /// All disks that the cluster knows.
    pub total: u64,
    /// Those that take new shards.
    pub active: u64,
    /// Those below their reserve of free space.
    pub full: u64,
    /// Those that failed a write or are very slow.
    pub suspect: u64,
    /// Those that are missing, foreign or unreadable, or whose node is silent.
    pub unavailable: u64,
    /// Those that were accepted and are not in service yet.
    #[serde(default)]
    pub joining: u64,
    /// Those that were away and are compared with metadata before they take anything new.
    #[serde(default)]
    pub quarantined: u64,
    /// Those that are being emptied.
    #[serde(default)]
    pub draining: u64,
    /// Those that were away for longer than the grace period.
    #[serde(default)]
    pub failed: u64,
    /// Those that were removed for good.
    #[serde(default)]
    pub removed: u64,
}

/// Names of the profiles in force, such as `4+2`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileNames {
    /// For tiny objects.
    pub small: String,
    /// For the others.
    pub large: String,
}

/// An entry of the answer to `GET /v1/disks`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskEntry {
    /// Its short name in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Name of the node that owns it.
    pub node: String,
    /// Its directory on that node.
    pub path: String,
    /// Its state.
    pub state: String,
    /// Why it is in that state; empty for a disk that is well.
    #[serde(default)]
    pub reason: Option<String>,
    /// Bytes that it may hold.
    pub capacity_bytes: u64,
    /// Bytes that it holds.
    pub used_bytes: u64,
    /// Shards that it holds.
    pub shards: u64,
}

/// An entry of the answer to `GET /v1/scrub`: one disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubEntry {
    /// The disk's short name in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Name of the node that owns it.
    pub node: String,
    /// Its directory on that node.
    pub path: String,
    /// Its scrub; nothing while the disk is out of service or its node silent.
    pub scrub: Option<ScrubProgress>,
}

/// How far a disk's scrub is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubProgress {
    /// The cycle under way, or the last one; counted from 1.
    pub cycle: u64,
    /// Whether it is under way.
    pub running: bool,
    /// Whether it was asked for.
    pub accelerated: bool,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// Bytes verified in it.
    pub done_bytes: u64,
    /// Bytes to verify in it.
    pub total_bytes: u64,
    /// Shards verified in it.
    pub shards: u64,
    /// Bytes per second over the last seconds.
    pub rate_bytes_per_s: u64,
    /// Seconds to its end at that rate; nothing if it stands still.
    pub eta_s: Option<u64>,
    /// Shards found bad in it.
    pub findings: u64,
    /// Bad shards that the metadata service does not know of yet.
    pub unreported: u64,
    /// The newest findings.
    pub newest: Vec<FindingEntry>,
    /// The last cycle that went to its end.
    pub last: Option<CycleEntry>,
    /// Why it stands still; empty if it does not.
    pub trouble: String,
}

/// A shard that a scrub found bad.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingEntry {
    /// The shard: its extent and its index.
    pub shard: String,
    /// `corrupt` or `missing`.
    pub kind: String,
    /// Where it lies and what is wrong.
    pub detail: String,
}

/// A scrub cycle that went to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CycleEntry {
    /// Which one.
    pub cycle: u64,
    /// When it began, in milliseconds since the Unix epoch.
    pub started_ms: u64,
    /// When it ended.
    pub ended_ms: u64,
    /// Bytes verified.
    pub bytes: u64,
    /// Shards verified.
    pub shards: u64,
    /// Shards found bad.
    pub findings: u64,
}

/// An entry of the answer to `POST /v1/scrub`: one disk whose scrub was to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScrubStarted {
    /// The disk's short name in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Why it was not started; nothing if it was.
    pub error: Option<String>,
}

/// The answer to `GET /v1/metadata/members`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataMembers {
    /// The members by number.
    pub members: Vec<MetadataMember>,
    /// The term of the lead.
    pub term: u64,
    /// The leader's last log entry.
    pub log_index: u64,
    /// Whether a change of the members is under way.
    pub is_changing: bool,
    /// Whether the service was restored or recovered, and deletes nothing until it is told to.
    pub deletions_held: bool,
    /// What its comparison with the disks came to; nothing before that has ended.
    #[serde(default)]
    pub reconciled: Option<Reconciled>,
}

/// What the comparison of a restored service with the disks came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciled {
    /// Shards on the disks.
    pub shards: u64,
    /// Objects that came back.
    pub recovered: u64,
    /// What is kept on the disks and not in the namespace.
    pub kept: u64,
    /// Extents in the namespace that cannot be read.
    pub unreadable: u64,
    /// When it ended, in milliseconds since the Unix epoch.
    pub ended_ms: u64,
}

/// An entry of the answer to `GET /v1/metadata/findings`: something that the disks hold and a restored service did not, or
/// the other way round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryFinding {
    /// Its first extent.
    pub extent: String,
    /// `recovered`, `superseded`, `incomplete`, `unreadable` or `upload`.
    pub kind: String,
    /// The bucket, as the disks say.
    pub bucket: Option<String>,
    /// The key.
    pub key: Option<String>,
    /// Bytes, as far as they are known.
    pub bytes: u64,
    /// When it was written, in milliseconds since the Unix epoch, by the clock of a gateway.
    pub written_ms: u64,
    /// For people.
    pub detail: String,
}

/// The answer to `POST /v1/metadata/backups`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBackup {
    /// The newest commit in it.
    pub commit: u64,
    /// Objects in it.
    pub objects: u64,
    /// Bytes of rows in it.
    pub bytes: u64,
}

/// A member of the metadata service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataMember {
    /// Its number.
    pub member: u64,
    /// Where its internal RPC listens.
    pub addr: String,
    /// `leader`, `voter`, or `learner`: one that takes in the state and will vote.
    pub role: String,
    /// Whether it answers now.
    pub answers: bool,
    /// Log entries that it is not known to hold; nothing if it has not answered since the leader began.
    pub lag_entries: Option<u64>,
}

/// The answer to `GET /v1/disks/{number}`, and to all that changes a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskProgress {
    /// Its short name in the cluster.
    pub number: u64,
    /// Its identity.
    pub id: String,
    /// Its directory.
    pub path: String,
    /// Its state.
    pub state: String,
    /// Whether it is being emptied.
    pub is_draining: bool,
    /// Shards that metadata has on it.
    pub shards_left: u64,
}

/// The answer to `GET /v1/repair`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairStatus {
    /// Extents with a shard to make anew or to move, when the tables were last looked through.
    pub pending_extents: u64,
    /// Bytes to write for them.
    pub pending_bytes: u64,
    /// Those of them that cannot be read now.
    pub lost_extents: u64,
    /// Those of them for whose shards there is no disk.
    pub without_place_extents: u64,
    /// Shards made anew or moved since the leader took over.
    pub done_shards: u64,
    /// Their bytes.
    pub done_bytes: u64,
    /// Rebuilds that failed and are tried again.
    pub failures: u64,
    /// The present limit in bytes per second.
    pub bytes_per_s_limit: u64,
    /// What is under way.
    pub running: Vec<RunningRebuild>,
    /// Nodes that are silent and whose shards are not made anew, because more than a third of all are silent at once.
    #[serde(default)]
    pub held_back: Vec<String>,
}

/// A rebuild under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningRebuild {
    /// The extent.
    pub extent: String,
    /// The shard's index.
    pub shard: u8,
    /// Where metadata has it now.
    pub from_disk: Option<u64>,
    /// Where it will be.
    pub to_disk: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Losses that the extent still survives.
    pub spare: u8,
    /// Whether it only moves.
    pub moves: bool,
}

/// An entry of the answer to `GET /v1/repair/queue`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedShard {
    /// The extent.
    pub extent: String,
    /// The shard's index.
    pub shard: u8,
    /// Where metadata has it.
    pub disk: Option<u64>,
    /// `not written`, `missing` or `corrupt`.
    pub cause: String,
}

/// The answer to `GET` and `POST /v1/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How many were begun since the leader took over.
    pub number: u64,
    /// Whether one is under way.
    pub is_running: bool,
    /// Shards compared so far.
    pub shards_compared: u64,
    /// Shards that there should be.
    pub shards_expected: u64,
    /// What the last one found.
    pub report: Option<VerifyReport>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyReport {
    /// The commit that it describes.
    pub commit: u64,
    /// Objects all of whose shards are there.
    pub whole: Amount,
    /// Objects that lack shards, by the losses that they still survive.
    pub at_risk: Vec<AtRisk>,
    /// Objects that cannot be read now.
    pub lost: Amount,
    /// The first of those at risk and lost, the worst first.
    pub listed: Vec<ObjectAtRisk>,
    /// All extents.
    pub extents: u64,
    /// Extents that lack shards.
    pub extents_at_risk: u64,
    /// Extents that have all their shards, more of them in one failure domain than they have to.
    pub crowded_extents: u64,
    /// The disks.
    pub disks: Vec<VerifiedDisk>,
}

impl VerifyReport {
    /// Whether every object has all its shards, and these stand as far apart as they can.
    pub fn is_healthy(&self) -> bool {
        self.at_risk.is_empty() && self.lost.objects == 0 && self.crowded_extents == 0
    }
}

/// A disk that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiedDisk {
    /// Its number.
    pub number: u64,
    /// Shards that are where metadata has them.
    pub good: u64,
    /// Shards that are not.
    pub missing: u64,
    /// Shards that metadata does not have there.
    pub unknown: u64,
    /// Why it could not be compared.
    pub error: Option<String>,
}

/// The answer to `GET /v1/placement/{bucket}/{key}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Bytes of the object.
    pub size: u64,
    /// Its storage class, such as `STANDARD`.
    #[serde(default)]
    pub storage_class: String,
    /// Its extents, in order.
    pub extents: Vec<PlacedExtent>,
}

/// An extent and its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedExtent {
    /// The extent.
    pub id: String,
    /// Offset of its first byte in the object.
    pub offset: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Its shape, such as `4+2`.
    pub profile: String,
    /// How often its shards have moved.
    pub generation: u32,
    /// Its shards.
    pub shards: Vec<PlacedShard>,
}

/// A shard and where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedShard {
    /// Its index.
    pub shard: u8,
    /// `data` or `parity`.
    pub holds: String,
    /// Its disk; null if it is nowhere and waits for repair.
    pub disk: Option<u64>,
    /// The disk's node.
    pub node: Option<String>,
    /// The node's rack.
    pub rack: Option<String>,
    /// The node's zone.
    pub zone: Option<String>,
    /// The disk's state.
    pub state: String,
}
