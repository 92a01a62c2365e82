//! The verbs: one file each, as `commands/<noun>/<verb>.rs`.

mod admin_args;
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
mod runtime;
pub mod scrub;
pub mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use admin_args::AdminArgs;
pub use error::CommandError;

use runtime::block_on;

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
