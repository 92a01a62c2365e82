//! `cairn metadata …`

mod backup;
mod error;
mod findings;
mod members;
mod reconstruct;
mod recover;
mod restore;

use clap::Subcommand;

pub use error::BackupError;

use super::CommandError;

/// Verbs on the metadata service.
#[derive(Debug, Subcommand)]
pub enum MetadataCommand {
    /// List, add and remove metadata members, or make one the leader.
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Back up the metadata to a file, an object or the store itself, and verify the backup by reading it back.
    Backup(backup::BackupArgs),
    /// Create a metadata member from a backup after all members are lost: from a file, or from the newest backup on the
    /// disks. The server must be stopped.
    Restore(restore::RestoreArgs),
    /// Create a metadata member with an empty namespace, after all members and backups are lost. The server must be
    /// stopped. Once started, it restores every object that the disks hold completely.
    #[command(alias = "rebuild")]
    Reconstruct(reconstruct::ReconstructArgs),
    /// List what differed when a restored service was compared with the disks: restored objects, content kept outside
    /// the namespace, and unreadable objects.
    Findings(super::AdminArgs),
    /// Continue with one metadata member after a majority is lost for good. The server must be stopped. LOSES commits
    /// that only the lost members had.
    Recover(recover::RecoverArgs),
    /// Allow a restored or recovered service to delete again, after its comparison with the disks.
    ResumeDeletions(super::AdminArgs),
}

impl MetadataCommand {
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Backup(args) => backup::run(args).await,
            Self::Restore(args) => restore::run(args).await,
            Self::Reconstruct(args) => reconstruct::run(args).await,
            Self::Findings(args) => findings::run(args).await,
            Self::Recover(args) => recover::run(args),
            Self::Members(command) => command.run().await,
            Self::ResumeDeletions(args) => members::resume_deletions(args).await,
        }
    }
}
