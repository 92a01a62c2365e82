//! The verbs: one file each, as `commands/<noun>/<verb>.rs`.

pub mod bench;
pub mod cluster;
pub mod demo;
pub mod disk;
mod drain;
mod error;
mod joining;
pub mod metadata;
pub mod node;
mod output;
pub mod placement;
pub mod profile;
pub mod rebalance;
pub mod repair;
pub mod scrub;
pub mod server;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};

pub use error::CommandError;

use crate::admin::{AdminClient, discover_endpoint, discover_keys};
use cairn_server::SystemClock;

/// S3-compatible object storage built from erasure-coded shards.
#[derive(Debug, Parser)]
#[command(name = "cairn", version, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The top-level commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a server: by default all roles in one process, over six disk directories.
    Server(server::ServerArgs),
    /// Cluster status, verification and offline audit.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Disks: list, inspect, add, drain, remove.
    #[command(subcommand)]
    Disk(disk::DiskCommand),
    /// Scrub: start it and show its progress.
    #[command(subcommand)]
    Scrub(scrub::ScrubCommand),
    /// Metadata: members, backups and disaster recovery.
    #[command(subcommand)]
    Metadata(metadata::MetadataCommand),
    /// Storage nodes: list, show, add, drain.
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Shard repair: progress and queue.
    #[command(subcommand)]
    Repair(repair::RepairCommand),
    /// Rebalance: move shards until every disk holds its share.
    #[command(subcommand)]
    Rebalance(rebalance::RebalanceCommand),
    /// Placement: where an object's shards are.
    #[command(subcommand)]
    Placement(placement::PlacementCommand),
    /// Profiles: how objects are coded.
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Measure any S3 endpoint.
    Bench(bench::BenchArgs),
    /// Show a cluster of six nodes lose two disks and repair itself, in a temporary directory.
    Demo(demo::DemoArgs),
}

/// Flags of every admin verb.
#[derive(Debug, Args)]
pub struct AdminArgs {
    /// The admin endpoint [default: CAIRN_ENDPOINT, else http://127.0.0.1:9001].
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub json: bool,
}

impl AdminArgs {
    /// A client for the endpoint and keys from flags, environment and files.
    pub fn client(&self) -> Result<AdminClient, CommandError> {
        let environment = |name: &str| std::env::var(name).ok();
        let endpoint = discover_endpoint(self.endpoint.as_deref(), environment)?;
        let keys = discover_keys(environment, std::path::Path::new("."))?;
        Ok(AdminClient::new(endpoint, keys, Arc::new(SystemClock::new())))
    }
}

/// Parses the command line and runs the verb.
pub fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        Command::Server(args) => server::run(args),
        Command::Cluster(command) => block_on(command.run()),
        Command::Disk(command) => block_on(command.run()),
        Command::Scrub(command) => block_on(command.run()),
        Command::Metadata(command) => block_on(command.run()),
        Command::Node(command) => block_on(command.run()),
        Command::Repair(command) => block_on(command.run()),
        Command::Rebalance(command) => block_on(command.run()),
        Command::Placement(command) => block_on(command.run()),
        Command::Profile(command) => block_on(command.run()),
        Command::Bench(args) => bench::run(&args),
        Command::Demo(args) => {
            // The demo's cluster needs threads of its own.
            let runtime = tokio::runtime::Runtime::new().map_err(CommandError::Runtime)?;
            runtime.block_on(demo::run(&args))
        }
    }
}

/// Runs a client verb: one thread is enough for one request at a time.
fn block_on<T>(future: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CommandError::Runtime)?;
    runtime.block_on(future)
}
