//! Shared by `cairn disk drain` and `cairn node drain`.

use std::time::Duration;

use clap::Args;
use http::Method;

use super::CommandError;
use super::output::{bar, complain};
use crate::admin::{AdminClient, AdminError, DiskProgress};

/// Pause between two polls of a drain.
const POLL: Duration = Duration::from_millis(500);

/// Flags of a drain.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "these are the flags of a command line")]
pub(super) struct DrainFlags {
    /// Cancel a drain: the disks accept shards again.
    #[arg(long, conflicts_with_all = ["dry_run", "force", "wait"])]
    pub(super) cancel: bool,
    /// Only report what would move.
    #[arg(long, conflicts_with = "wait")]
    pub(super) dry_run: bool,
    /// Drain even if the remaining disks cannot keep full redundancy; shards without a new place stay.
    #[arg(long)]
    pub(super) force: bool,
    /// Wait until the disks are empty.
    #[arg(long)]
    pub(super) wait: bool,
}

/// Drains a disk, or ends its drain, as the flags say.
pub(super) async fn order(client: &mut AdminClient, disk: u64, flags: &DrainFlags) -> Result<DiskProgress, AdminError> {
    let path = format!("/v1/disks/{disk}/drain");
    if flags.cancel {
        return client.call(Method::DELETE, &path).await;
    }
    client.call(Method::POST, &format!("{path}?force={}&dry_run={}", flags.force, flags.dry_run)).await
}

/// Waits until no extent refers to the disk, showing progress.
pub(super) async fn wait_until_empty(client: &mut AdminClient, disk: u64) -> Result<DiskProgress, CommandError> {
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
            complain("no disk can take the remaining shards: add a disk, and the drain continues by itself");
        }
        tokio::time::sleep(POLL).await;
    }
}
