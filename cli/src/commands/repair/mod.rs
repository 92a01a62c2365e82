//! `cairn repair …`

mod list;
mod status;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on repair.
#[derive(Debug, Subcommand)]
pub enum RepairCommand {
    /// Show what is to be made anew or moved, what is under way, and how fast.
    Status(AdminArgs),
    /// List shards that were found bad or were not written, as far as they are not repaired yet.
    List(AdminArgs),
}

impl RepairCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Status(args) => status::run(args).await,
            Self::List(args) => list::run(args).await,
        }
    }
}
