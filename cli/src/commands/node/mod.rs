//! `cairn node …`

mod drain;
mod list;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on storage nodes.
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List the nodes with their disks.
    List(AdminArgs),
    /// Move all shards off all disks of a node.
    Drain(drain::DrainArgs),
}

impl NodeCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Drain(args) => drain::run(args).await,
        }
    }
}
