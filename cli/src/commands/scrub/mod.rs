//! `cairn scrub …`

mod start;
mod status;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on the verification of what lies on the disks.
#[derive(Debug, Subcommand)]
pub enum ScrubCommand {
    /// Verify every shard now, as fast as scrubs may run, instead of waiting for the next cycle.
    Start(start::StartArgs),
    /// Show how far each disk is, and what was found.
    Status(AdminArgs),
}

impl ScrubCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Start(args) => start::run(args).await,
            Self::Status(args) => status::run(args).await,
        }
    }
}
