//! `cairn repair …`

mod list;
mod status;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on repair.
#[derive(Debug, Subcommand)]
pub enum RepairCommand {
    /// Show pending and running rebuilds and moves, and their rate.
    Status(AdminArgs),
    /// List shards that are damaged or missing and not yet repaired.
    List(AdminArgs),
}

impl RepairCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Status(args) => status::run(args).await,
            Self::List(args) => list::run(args).await,
        }
    }
}
