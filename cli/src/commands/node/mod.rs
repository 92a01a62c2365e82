//! `cairn node …`

mod add;
mod drain;
mod list;
mod show;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on storage nodes.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List the nodes with their disks.
    List(AdminArgs),
    /// Show one node with its disks.
    Show(show::ShowArgs),
    /// Print what to run on a new machine and wait until its disks are active.
    Add(add::AddArgs),
    /// Move all shards off all disks of a node.
    Drain(drain::DrainArgs),
}

impl NodeCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Show(args) => show::run(args).await,
            Self::Add(args) => add::run(args).await,
            Self::Drain(args) => drain::run(args).await,
        }
    }
}
