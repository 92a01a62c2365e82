//! `cairn cluster …`

mod status;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on the cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Show what the cluster holds, and how its nodes and disks are.
    Status(AdminArgs),
}

impl ClusterCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Status(args) => status::run(args).await,
        }
    }
}
