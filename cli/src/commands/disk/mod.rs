//! `cairn disk …`

mod add;
mod drain;
mod inspect;
mod list;
mod remove;
mod show;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on disks.
#[derive(Debug, Subcommand)]
pub enum DiskCommand {
    /// List the disks with their state, space and shards.
    List(AdminArgs),
    /// Inspect a disk's directory without a server: volumes, shards, and whether every checksum is right. Writes
    /// nothing to it.
    Inspect(inspect::InspectArgs),
    /// Print how to add disks to a node, and wait until they are active.
    Add(add::AddArgs),
    /// Show one disk: its state and the number of its shards in metadata.
    Show(show::ShowArgs),
    /// Move all shards off a disk, alive or dead. Done when `shards left` is zero.
    Drain(drain::DrainArgs),
    /// Remove a drained disk from the cluster permanently.
    Remove(remove::RemoveArgs),
}

impl DiskCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::List(args) => list::run(args).await,
            Self::Inspect(args) => inspect::run(args),
            Self::Add(args) => add::run(args).await,
            Self::Show(args) => show::run(args).await,
            Self::Drain(args) => drain::run(args).await,
            Self::Remove(args) => remove::run(args).await,
        }
    }
}
