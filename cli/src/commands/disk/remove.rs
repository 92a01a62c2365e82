//! `cairn disk remove`

use clap::Args;
use http::Method;

use crate::admin::DiskProgress;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Take a drained disk out of the cluster for good.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The disk's number, as `cairn disk list` shows it.
    disk: u64,
    /// Remove it although extents still have shards on it. They are made anew from the others; what has no `k` others
    /// left is lost.
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &RemoveArgs) -> Result<(), CommandError> {
    let path = format!("/v1/disks/{}?force={}", args.disk, args.force);
    let state: DiskProgress = args.admin.client()?.call(Method::DELETE, &path).await?;
    if args.admin.json {
        return print_json(&state);
    }
    print(&format!("disk {} ({}) is removed; its number is not given out again", state.number, state.path))
}
