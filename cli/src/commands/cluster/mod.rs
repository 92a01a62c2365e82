//! `cairn cluster …`

mod audit;
mod listing;
mod status;
mod upgrade;
mod verify;

use clap::Subcommand;

use super::{AdminArgs, CommandError};

/// Verbs on the cluster.
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Show what the cluster holds and the state of its nodes and disks.
    Status(AdminArgs),
    /// Compare metadata with every disk and count objects by the losses they survive. Fails unless all are whole.
    Verify(verify::VerifyArgs),
    /// Compare metadata and disks directly while every service is stopped. Fails unless everything is whole.
    Audit(audit::AuditArgs),
    /// Show which releases the processes run, and let the cluster use what the new one can do.
    #[command(subcommand)]
    Upgrade(upgrade::UpgradeCommand),
}

impl ClusterCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Status(args) => status::run(args).await,
            Self::Verify(args) => verify::run(args).await,
            Self::Audit(args) => audit::run(args),
            Self::Upgrade(command) => command.run().await,
        }
    }
}
