//! Why a verb failed.

use std::io;
use std::path::PathBuf;

use super::bench::BenchError;
use super::demo::DemoError;
use crate::admin::{AdminError, DiscoveryError};

/// What is printed after `error:`.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// No endpoint or no keys were found.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// A call of the admin API failed.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// There is no such member of the metadata service.
    #[error("the metadata service has no member {member}; its members are {known}")]
    NoSuchMember {
        member: u64,
        /// The existing members.
        known: String,
    },
    /// An upgrade cannot be finalized by a leader of the release before.
    #[error(
        "the cluster stays at feature level {level}: the metadata leader runs an earlier release than other processes; upgrade it, \
         or let another member lead (`cairn metadata members transfer-leader`), then try again"
    )]
    LeaderIsEarlier {
        /// The level in force.
        level: u32,
    },
    /// The metadata could not be backed up.
    #[error(transparent)]
    Backup(#[from] super::metadata::BackupError),
    /// The metadata could not be restored or recovered.
    #[error(transparent)]
    Offline(#[from] cairn_server::offline::OfflineError),
    /// The benchmark could not run.
    #[error(transparent)]
    Bench(Box<BenchError>),
    /// A scrub could not be started everywhere.
    #[error("the scrub of {disks} disks was not started; see their state with `cairn disk list`")]
    NotStarted { disks: usize },
    /// A disk cannot be inspected.
    #[error(transparent)]
    Inspect(#[from] Box<cairn_server::inspect::InspectError>),
    /// The inspection found problems.
    #[error("{count} problems at {}: damaged shards are queued for repair once the server's scrub or a read has found them", path.display())]
    DiskDamaged { path: PathBuf, count: usize },
    /// The text does not name a shard.
    #[error("{0:?} is not a shard: give EXTENT.INDEX as listed by `cairn disk inspect PATH --shards`")]
    ShardName(String),
    /// The exported data cannot be written.
    #[error("cannot write {}: {cause}; choose a new file", path.display())]
    Export { path: PathBuf, cause: io::Error },
    /// The output file lies on the inspected disk.
    #[error("{} lies on the inspected disk, which must not be written: choose a file elsewhere", path.display())]
    ExportInside { path: PathBuf },
    /// The demo failed.
    #[error(transparent)]
    Demo(Box<DemoError>),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] cairn_server::config::ConfigError),
    /// The server did not start.
    #[error(transparent)]
    Server(Box<cairn_server::ServerError>),
    /// Standard output is closed.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// A value cannot be written as JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A verification found objects that lack shards, or crowded extents.
    #[error(
        "{at_risk} objects are at risk, {lost} are lost, {crowded} extents are to be spread; see `cairn repair status`"
    )]
    Unhealthy {
        /// Objects that lack shards and are readable.
        at_risk: u64,
        /// Objects that cannot be read now.
        lost: u64,
        /// Crowded extents.
        crowded: u64,
    },
    /// A rebalance ended before the disks were balanced.
    #[error("not every disk holds its share: {0}")]
    RebalanceStuck(String),
    /// The text is not a profile.
    #[error("{0:?} is not a profile: give DATA+PARITY, such as 4+2, or `default` for the profile by cluster size")]
    Shape(String),
    /// The cluster is a single process that no other can join.
    #[error(
        "this cluster is one process with all roles, which no other process can reach: give it more disks with \
         `cairn disk add`, or begin a cluster of processes (docs/operations.md)"
    )]
    AllInOne,
    /// A new node or disk did not become active in time.
    #[error(
        "{what} is not active after {seconds} s: {seen}; look at the node's log, and wait again with the same command"
    )]
    NotAdded { what: String, seconds: u64, seen: String },
    /// A cluster cannot be audited.
    #[error(transparent)]
    Audit(#[from] Box<cairn_recovery::audit::AuditError>),
    /// An audit found objects that lack shards.
    #[error(
        "{at_risk} objects are at risk and {lost} are lost; missing shards are rebuilt once the cluster runs, \
         if enough others exist"
    )]
    AuditUnhealthy {
        /// Objects that lack shards and are readable.
        at_risk: u64,
        /// Objects that cannot be read.
        lost: u64,
    },
    /// No disk belongs to a node of that name.
    #[error("there is no node {0:?} with disks; see `cairn node list`")]
    NoSuchNode(String),
    /// The process cannot get threads or file descriptors.
    #[error("cannot start: {0}")]
    Runtime(io::Error),
}

impl From<cairn_server::ServerError> for CommandError {
    fn from(error: cairn_server::ServerError) -> Self {
        Self::Server(Box::new(error))
    }
}

impl From<BenchError> for CommandError {
    fn from(error: BenchError) -> Self {
        Self::Bench(Box::new(error))
    }
}

impl From<DemoError> for CommandError {
    fn from(error: DemoError) -> Self {
        Self::Demo(Box::new(error))
    }
}
