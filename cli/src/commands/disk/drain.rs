//! `cairn disk drain`

use clap::Args;

use crate::admin::DiskProgress;
use crate::commands::drain::{DrainFlags, order, wait_until_empty};
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Move all shards off a disk.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The disk's number, as `cairn disk list` shows it.
    disk: u64,
    #[command(flatten)]
    flags: DrainFlags,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &DrainArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let mut state = order(&mut client, args.disk, &args.flags).await?;
    if args.flags.wait {
        state = wait_until_empty(&mut client, args.disk).await?;
    }
    if args.admin.json {
        return print_json(&state);
    }
    print(&describe(&args.flags, &state))
}

fn describe(flags: &DrainFlags, state: &DiskProgress) -> String {
    let DiskProgress { number, path, shards_left, .. } = state;
    if flags.cancel {
        return format!("disk {number} ({path}) is {} and keeps its shards", state.state);
    }
    if flags.dry_run {
        return format!("{shards_left} shards would move from disk {number} ({path})");
    }
    if *shards_left == 0 {
        return format!("disk {number} ({path}) is empty: take it out with `cairn disk remove {number}`");
    }
    format!("disk {number} ({path}) is being drained, {shards_left} shards to go: `cairn disk show {number}`")
}
