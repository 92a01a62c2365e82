//! `cairn placement …`

mod explain;

use clap::Subcommand;

use super::CommandError;

/// Verbs on placement.
#[derive(Debug, Subcommand)]
pub enum PlacementCommand {
    /// Show every shard of an object with its disk, node, rack and zone.
    Explain(explain::ExplainArgs),
}

impl PlacementCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Explain(args) => explain::run(args).await,
        }
    }
}
