//! `cairn disk …`

mod list;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on disks.
#[derive(Debug, Subcommand)]
pub enum DiskCommand {
    /// List the disks with their state, space and shards.
    List(AdminArgs),
}

impl DiskCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
        }
    }
}
