//! `cairn metadata rebuild`

use cairn_server::offline;
use clap::Args;

use super::restore::{MemberDirArgs, NodesArgs, describe_search};
use crate::commands::CommandError;
use crate::commands::output::{complain, print};

/// What `rebuild` takes.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Say that there is no backup: buckets without objects, empty objects, checksums and times of completion are not on
    /// the disks, and what was deleted a moment before the loss may come back.
    #[arg(long, required = true)]
    i_have_no_backup: bool,
    /// Which nodes.
    #[command(flatten)]
    nodes: NodesArgs,
    /// Which member.
    #[command(flatten)]
    member: MemberDirArgs,
}

pub(super) async fn run(args: &RebuildArgs) -> Result<(), CommandError> {
    let made = offline::reconstruct(&args.member.config()?, &args.nodes.node).await?;
    print(&format!("an empty namespace is made from {}", describe_search(&made)))?;
    complain(
        "Start the server and all storage nodes: it is the only member, and brings back what the disks hold as a whole. \
         Let no client write or synchronize before `cairn metadata members list` says that the comparison has ended. \
         Nothing is deleted until you say `cairn metadata resume-deletions`.",
    );
    Ok(())
}
