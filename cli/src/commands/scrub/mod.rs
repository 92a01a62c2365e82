//! `cairn scrub …`

mod start;
mod status;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on scrubs.
#[derive(Debug, Subcommand)]
pub enum ScrubCommand {
    /// Verify every shard now at the highest scrub rate, instead of waiting for the next cycle.
    Start(start::StartArgs),
    /// Show each disk's progress and findings.
    Status(AdminArgs),
}

impl ScrubCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Start(args) => start::run(args).await,
            Self::Status(args) => status::run(args).await,
        }
    }
}
