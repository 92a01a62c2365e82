//! What the admin API answers. Fields that this version does not know are ignored.

use serde::{Deserialize, Serialize};

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
