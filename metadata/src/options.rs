//! How a member of the metadata service is set up.

use std::path::PathBuf;
use std::time::Duration;

use cairn_core::id::ClusterId;
use cairn_core::profile::FailureDomain;
use cairn_core::repair::Limits;

use cairn_core::id::MemberId;

/// Settings of one member. [`Options::new`] gives the defaults of a single member.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory of the log, the state and the member's identity.
    pub dir: PathBuf,
    /// This member.
    pub member_id: MemberId,
    /// The members that form a new cluster, with `host:port` of their internal RPC. A member that is not among them waits
    /// to be added, and asks them about it. With one member the address may be empty.
    pub members: Vec<(MemberId, String)>,
    /// `host:port` under which the others reach this member; empty if nobody does.
    pub advertise: String,
    /// Where the shards of an extent must be apart, for the profiles of a new cluster.
    pub failure_domain: FailureDomain,
    /// The cluster that this process's disks belong to already, if any: then an empty directory is refused, because it
    /// means that the metadata is lost or not mounted (I15).
    pub known_cluster: Option<ClusterId>,
    /// Time between letting go of a content and deleting its shards, for readers that are under way.
    pub reclaim_grace: Duration,
    /// Time after which a gateway that says nothing loses its session.
    pub session_lease: Duration,
    /// Time after which the disks of a node that says nothing are unavailable.
    pub node_silence: Duration,
    /// Interval of the background jobs.
    pub tick: Duration,
    /// Log entries after which the state is synced, so that the log before it may be purged.
    pub snapshot_entries: u64,
    /// How much of the log is kept all the same, for members that come back.
    pub log: LogRetention,
    /// Bytes that are kept free on the filesystem of `dir`: below that nothing new is stored. 0 for 1 % of it, at least 64 and
    /// at most 256 MiB.
    pub reserve_bytes: u64,
    /// Bytes of the state's pages kept in memory.
    pub cache_bytes: usize,
    /// Whether every page of the files is verified before the member starts.
    pub verify_at_start: bool,
    /// Time after which the shards of an absent disk are rebuilt elsewhere.
    pub repair_grace: Duration,
    /// Time within which every disk is compared with metadata, both ways.
    pub comparison_period: Duration,
    /// Bounds of repair.
    pub repair: Limits,
    /// Time between the begins of two passes over the buckets with lifecycle rules.
    pub lifecycle_interval: Duration,
    /// The length of the day that lifecycle rules count in: 24 hours but for tests.
    pub lifecycle_day: Duration,
}

/// How much of the log a member keeps. A member that comes back and finds the log from its own end on needs no snapshot.
/// Whatever is set, the log takes at most a quarter of what its disk has room for.
#[derive(Debug, Clone, Copy)]
pub struct LogRetention {
    /// Bytes that are kept.
    pub bytes: u64,
    /// Time for which an entry is kept, while all fit.
    pub time: Duration,
    /// Bytes that are kept for a member with a snapshot on its way, until it has caught up; beyond that it needs another
    /// snapshot.
    pub pinned_bytes: u64,
}

impl Default for LogRetention {
    fn default() -> Self {
        Self { bytes: 256 << 20, time: Duration::from_mins(10), pinned_bytes: 1 << 30 }
    }
}

impl Options {
    /// A single member with everything in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            member_id: MemberId(1),
            members: vec![(MemberId(1), String::new())],
            advertise: String::new(),
            failure_domain: FailureDomain::Disk,
            known_cluster: None,
            reclaim_grace: Duration::from_mins(1),
            session_lease: Duration::from_secs(30),
            node_silence: Duration::from_secs(5),
            tick: Duration::from_secs(1),
            snapshot_entries: 5000,
            log: LogRetention::default(),
            reserve_bytes: 0,
            cache_bytes: 256 << 20,
            verify_at_start: true,
            repair_grace: Duration::from_mins(10),
            comparison_period: Duration::from_hours(7 * 24),
            repair: Limits::default(),
            lifecycle_interval: Duration::from_hours(1),
            lifecycle_day: Duration::from_hours(24),
        }
    }
}
