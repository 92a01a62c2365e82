//! `cairn disk drain`

use std::time::Duration;

use clap::Args;
use http::Method;

use crate::admin::{AdminClient, DiskProgress};
use crate::commands::output::{bar, complain, print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Time between two looks at a drain.
const POLL: Duration = Duration::from_millis(500);

/// Move all shards off a disk.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The disk's number, as `cairn disk list` shows it.
    disk: u64,
    /// End a drain: the disk takes shards again.
    #[arg(long, conflicts_with_all = ["dry_run", "force", "wait"])]
    cancel: bool,
    /// Only say what would move.
    #[arg(long)]
    dry_run: bool,
    /// Drain it even if the remaining disks cannot hold as much redundancy: what finds no place stays on the disk.
    #[arg(long)]
    force: bool,
    /// Wait until the disk is empty.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &DrainArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let path = format!("/v1/disks/{}/drain", args.disk);
    let state: DiskProgress = if args.cancel {
        client.call(Method::DELETE, &path).await?
    } else {
        client.call(Method::POST, &format!("{path}?force={}&dry_run={}", args.force, args.dry_run)).await?
    };
    let state = if args.wait { wait_until_empty(&mut client, args.disk).await? } else { state };
    if args.admin.json {
        return print_json(&state);
    }
    print(&describe(args, &state))
}

fn describe(args: &DrainArgs, state: &DiskProgress) -> String {
    let DiskProgress { number, path, shards_left, .. } = state;
    if args.cancel {
        return format!("disk {number} ({path}) is {} and keeps its shards", state.state);
    }
    if args.dry_run {
        return format!("{shards_left} shards would move from disk {number} ({path})");
    }
    if *shards_left == 0 {
        return format!("disk {number} ({path}) is empty: take it out with `cairn disk remove {number}`");
    }
    format!("disk {number} ({path}) is being drained, {shards_left} shards to go: `cairn disk show {number}`")
}

/// Waits until no extent refers to the disk, and shows how it goes.
pub(in crate::commands) async fn wait_until_empty(
    client: &mut AdminClient,
    disk: u64,
) -> Result<DiskProgress, CommandError> {
    let progress = bar("shards moved");
    let mut most = 0;
    let mut told = false;
    loop {
        let state = client.disk(disk).await?;
        most = state.shards_left.max(most);
        progress.set_length(most);
        progress.set_position(most - state.shards_left);
        if state.shards_left == 0 {
            progress.finish_and_clear();
            return Ok(state);
        }
        let repair = client.repair().await?;
        let stuck = repair.running.is_empty() && repair.without_place_extents >= repair.pending_extents;
        if stuck && repair.pending_extents > 0 && !told {
            told = true;
            complain("no disk may take what is left: add a disk; the drain goes on by itself then");
        }
        tokio::time::sleep(POLL).await;
    }
}
