//! `cairn metadata recover`

use cairn_server::offline;
use clap::Args;

use super::restore::{MemberDirArgs, describe};
use crate::commands::CommandError;
use crate::commands::output::{complain, print};

#[derive(Debug, Args)]
pub struct RecoverArgs {
    /// Make this member the only one.
    #[arg(long, required = true)]
    force_single: bool,
    /// Confirm that the other members are lost for good, and that commits which only they had are lost.
    #[arg(long, required = true)]
    i_accept_the_loss_of_acknowledged_writes: bool,
    /// Which member.
    #[command(flatten)]
    member: MemberDirArgs,
}

pub(super) fn run(args: &RecoverArgs) -> Result<(), CommandError> {
    let summary = offline::recover(&args.member.config()?)?;
    print(&describe("recovered", &summary))?;
    complain(
        "THE OTHER MEMBERS MUST NEVER START AGAIN WITH THEIR DIRECTORIES: empty them. The directory as it was is kept in \
         metadata-before-recovery. Start the server: it is the only member; add the others again with `cairn metadata \
         members add`. Nothing is deleted until you say `cairn metadata resume-deletions`.",
    );
    Ok(())
}
