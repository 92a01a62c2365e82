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
    /// Move shards until every disk holds its share, for example after disks or nodes were added. Clients, repairs and
    /// drains have priority.
    Start(start::StartArgs),
    /// Stop the rebalance now. Moved shards stay where they are.
    Stop(AdminArgs),
    /// Show progress, or how the last one ended.
    Status(status::StatusArgs),
}

impl RebalanceCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Start(args) => start::run(args).await,
            Self::Stop(args) => stop::run(args).await,
            Self::Status(args) => status::run(args).await,
        }
    }
}
