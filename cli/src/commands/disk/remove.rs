//! `cairn disk remove`

use clap::Args;
use http::Method;

use crate::admin::DiskProgress;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Remove a drained disk from the cluster permanently.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// The disk's number, as `cairn disk list` shows it.
    disk: u64,
    /// Remove it even if extents still have shards on it. They are rebuilt from the others; extents without `k` others
    /// are lost.
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
