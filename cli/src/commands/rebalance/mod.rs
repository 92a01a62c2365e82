//! `cairn rebalance …`

mod render;
mod start;
mod status;
mod stop;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on rebalancing.
#[derive(Debug, Subcommand)]
pub enum RebalanceCommand {
    /// Move shards until every disk holds its share: after disks or nodes were added, for example. Clients, repairs and
    /// drains go first.
    Start(start::StartArgs),
    /// Stop it at once. What has moved stays where it is.
    Stop(AdminArgs),
    /// Show how it goes, or how the last one ended.
    Status(status::StatusArgs),
}

impl RebalanceCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Start(args) => start::run(args).await,
            Self::Stop(args) => stop::run(args).await,
            Self::Status(args) => status::run(args).await,
        }
    }
}
