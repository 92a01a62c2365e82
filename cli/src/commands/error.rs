//! Why a verb failed.

use std::io;
use std::path::PathBuf;

use super::bench::BenchError;
use super::demo::DemoError;
use crate::admin::{AdminError, DiscoveryError};

/// What is printed after `error:`.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Neither endpoint nor keys.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// The admin API gave no answer.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// There is no such member of the metadata service.
    #[error("the metadata service has no member {member}; its members are {known}")]
    NoSuchMember {
        /// The number that was given.
        member: u64,
        /// The numbers that there are.
        known: String,
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
    #[error("the scrub of {disks} disks was not started; `cairn disk list` tells how they are")]
    NotStarted {
        /// How many disks.
        disks: usize,
    },
    /// A disk cannot be looked at.
    #[error(transparent)]
    Inspect(#[from] Box<cairn_server::inspect::InspectError>),
    /// Something is wrong with a disk that was looked at.
    #[error("{count} problems at {}: damaged shards are queued for repair once the server's scrub or a read has found them", path.display())]
    DiskDamaged {
        /// The disk's directory.
        path: PathBuf,
        /// How many problems.
        count: usize,
    },
    /// A text that names no shard.
    #[error("{0:?} is not a shard: write EXTENT.INDEX, as `cairn disk inspect PATH --shards` lists them")]
    ShardName(String),
    /// The exported data cannot be written.
    #[error("cannot write {}: {cause}; name a new file", path.display())]
    Export {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The exported data would go to the disk that is looked at.
    #[error("{} lies on the disk that is looked at, where nothing is written: name a file elsewhere", path.display())]
    ExportInside {
        /// The file.
        path: PathBuf,
    },
    /// The demonstration stopped.
    #[error(transparent)]
    Demo(Box<DemoError>),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] cairn_server::config::ConfigError),
    /// The configuration does not turn into TOML.
    #[error("cannot print the configuration: {0}")]
    PrintConfig(#[from] toml::ser::Error),
    /// The server did not start.
    #[error(transparent)]
    Server(Box<cairn_server::ServerError>),
    /// Standard output is closed.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// A value does not turn into JSON.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A verification found objects that lack shards, or whose shards stand too close together.
    #[error(
        "{at_risk} objects are at risk, {lost} are lost, {crowded} extents are to be spread; see `cairn repair status`"
    )]
    Unhealthy {
        /// Objects that lack shards and can be read.
        at_risk: u64,
        /// Objects that cannot be read now.
        lost: u64,
        /// Extents with more shards in one failure domain than they have to.
        crowded: u64,
    },
    /// A rebalance ended and the disks are not even.
    #[error("not every disk holds its share: {0}")]
    RebalanceStuck(String),
    /// A text that is no shape of a profile.
    #[error("{0:?} is not a profile: write DATA+PARITY, such as 4+2, or `default` for what follows the cluster's size")]
    Shape(String),
    /// The cluster is a process that no other can join.
    #[error(
        "this cluster is one process with all roles, which no other process can reach: give it more disks with \
         `cairn disk add`, or begin a cluster of processes (docs/operations.md)"
    )]
    AllInOne,
    /// What was to be added did not come up in time.
    #[error(
        "{what} is not active after {seconds} s: {seen}; look at the node's log, and wait again with the same command"
    )]
    NotAdded {
        /// What was waited for.
        what: String,
        /// For how long.
        seconds: u64,
        /// What was seen of it.
        seen: String,
    },
    /// A cluster cannot be audited.
    #[error(transparent)]
    Audit(#[from] Box<cairn_recovery::audit::AuditError>),
    /// An audit found objects that lack shards.
    #[error(
        "{at_risk} objects are at risk and {lost} are lost; shards that are lacking are made anew once the cluster runs, \
         as long as enough others are there"
    )]
    AuditUnhealthy {
        /// Objects that lack shards and can be read.
        at_risk: u64,
        /// Objects that cannot be read from what is there.
        lost: u64,
    },
    /// No disk belongs to a node of that name.
    #[error("there is no node {0:?} with disks: `cairn node list` shows their names")]
    NoSuchNode(String),
    /// The process gets no threads or descriptors.
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
