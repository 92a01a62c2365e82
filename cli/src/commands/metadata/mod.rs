//! `cairn metadata …`

mod backup;
mod members;
mod recover;
mod restore;

use clap::Subcommand;

pub use backup::BackupError;

use super::CommandError;

/// Verbs on the metadata service.
#[derive(Debug, Subcommand)]
pub enum MetadataCommand {
    /// The members that hold the metadata: list, add, remove, and make one lead.
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Back the metadata up into a file or an object, and read it back to check every byte.
    Backup(backup::BackupArgs),
    /// Make a metadata member from a backup, where all are lost. The server must not run.
    Restore(restore::RestoreArgs),
    /// Go on with one metadata member, where a majority is lost for good. The server must not run. LOSES what the lost
    /// members acknowledged without it.
    Recover(recover::RecoverArgs),
    /// Let a restored or recovered service delete again, once it has been compared with the disks.
    ResumeDeletions(super::AdminArgs),
}

impl MetadataCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Backup(args) => backup::run(args).await,
            Self::Restore(args) => restore::run(args),
            Self::Recover(args) => recover::run(args),
            Self::Members(command) => command.run().await,
            Self::ResumeDeletions(args) => members::resume_deletions(args).await,
        }
    }
}
