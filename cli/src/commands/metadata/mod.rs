//! `cairn metadata …`

mod members;

use clap::Subcommand;

use super::CommandError;

/// Verbs on the metadata service.
#[derive(Debug, Subcommand)]
pub enum MetadataCommand {
    /// The members that hold the metadata: list, add, remove, and make one lead.
    #[command(subcommand)]
    Members(members::MembersCommand),
    /// Let a restored or recovered service delete again, once it has been compared with the disks.
    ResumeDeletions(super::AdminArgs),
}

impl MetadataCommand {
    /// Runs the verb.
    pub async fn run(&self) -> Result<(), CommandError> {
        match self {
            Self::Members(command) => command.run().await,
            Self::ResumeDeletions(args) => members::resume_deletions(args).await,
        }
    }
}
