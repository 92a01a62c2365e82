//! `cairn cluster …`

mod audit;
mod listing;
mod status;
mod verify;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on the cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Show what the cluster holds, and how its nodes and disks are.
    Status(AdminArgs),
    /// Compare metadata with what every disk holds: objects by the losses that they survive. Fails unless all are whole.
    Verify(verify::VerifyArgs),
    /// Read the metadata and the disks directly, with every service stopped, and compare them. Fails unless all is whole.
    Audit(audit::AuditArgs),
}

impl ClusterCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Status(args) => status::run(args).await,
            Self::Verify(args) => verify::run(args).await,
            Self::Audit(args) => audit::run(args),
        }
    }
}
