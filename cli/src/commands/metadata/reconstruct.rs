//! `cairn metadata reconstruct`

use cairn_server::offline;
use clap::Args;

use super::restore::{MemberDirArgs, NodesArgs, describe_search};
use crate::commands::CommandError;
use crate::commands::output::{complain, print};

#[derive(Debug, Args)]
pub struct ReconstructArgs {
    /// Confirm that there is no backup. The disks do not hold empty buckets, empty objects, checksums and completion
    /// times, and objects deleted just before the loss may come back.
    #[arg(long, required = true)]
    i_have_no_backup: bool,
    #[command(flatten)]
    nodes: NodesArgs,
    #[command(flatten)]
    member: MemberDirArgs,
}

pub(super) async fn run(args: &ReconstructArgs) -> Result<(), CommandError> {
    let reconstructed = offline::reconstruct(&args.member.config()?, &args.nodes.node).await?;
    print(&format!("created an empty namespace from {}", describe_search(&reconstructed)))?;
    complain(
        "Start the server and all storage nodes. This is now the only member; it restores every object that the disks \
         hold completely. Keep clients from writing or synchronizing until `cairn metadata members list` reports that \
         the comparison has ended. Nothing is deleted until you run `cairn metadata resume-deletions`.",
    );
    Ok(())
}
