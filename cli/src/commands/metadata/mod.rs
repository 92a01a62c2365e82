//! `cairn metadata …`

mod backup;
mod findings;
mod members;
mod rebuild;
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
    /// Back the metadata up into a file, an object, or the store itself, and read it back to check every byte.
    Backup(backup::BackupArgs),
    /// Make a metadata member from a backup: a file, or the newest that lies on the disks. For where all are lost. The server must not run.
    Restore(restore::RestoreArgs),
    /// Make a metadata member with an empty namespace, where all are lost and there is no backup. The server must not
    /// run. What the disks hold as a whole comes back once it has started.
    Rebuild(rebuild::RebuildArgs),
    /// List what differed when a restored service was compared with the disks: what came back, what is kept and not in
    /// the namespace, and what cannot be read.
    Findings(super::AdminArgs),
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
            Self::Restore(args) => restore::run(args).await,
            Self::Rebuild(args) => rebuild::run(args).await,
            Self::Findings(args) => findings::run(args).await,
            Self::Recover(args) => recover::run(args),
            Self::Members(command) => command.run().await,
            Self::ResumeDeletions(args) => members::resume_deletions(args).await,
        }
    }
}
