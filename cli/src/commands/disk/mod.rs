//! `cairn disk …`

mod inspect;
mod list;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on disks.
#[derive(Debug, Subcommand)]
pub enum DiskCommand {
    /// List the disks with their state, space and shards.
    List(AdminArgs),
    /// Look at a disk's directory without a server: its volumes, its shards, whether every checksum is right. Writes
    /// nothing to it.
    Inspect(inspect::InspectArgs),
}

impl DiskCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Inspect(args) => inspect::run(args),
        }
    }
}
