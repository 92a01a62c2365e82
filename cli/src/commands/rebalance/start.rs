//! `cairn rebalance start`

use std::time::Duration;

use clap::Args;
use http::Method;

use super::render::{describe, forecast};
use crate::admin::{AdminClient, AdminError, RebalanceState, RebalanceStatus};
use crate::commands::output::{bytes_bar, complain, print, print_json};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::parse_bytes;

/// Pause between two polls of a rebalance.
const POLL: Duration = Duration::from_millis(500);

/// Move shards until every disk holds its share.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// Write at most this many bytes per second, such as 50MiB [default: the cap of repair]. A running rebalance takes over the
    /// new rate.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    rate: Option<u64>,
    /// Re-encode objects whose profile differs from that of new objects, instead of moving shards: after
    /// `cairn profile set`, or when a grown cluster allows a better profile.
    #[arg(long, alias = "reprotect", conflicts_with = "dry_run")]
    re_encode: bool,
    /// Only report what would move. Reads every extent's row.
    #[arg(long, conflicts_with = "wait")]
    dry_run: bool,
    /// Wait until it ends.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &StartArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let rate = args.rate.map_or_else(String::new, |rate| rate.to_string());
    let path = format!("/v1/rebalance?rate={rate}&dry_run={}&reprotect={}", args.dry_run, args.re_encode);
    let mut status: RebalanceStatus = client.call(Method::POST, &path).await?;
    if args.wait {
        status = wait(&mut client).await?;
    }
    if args.admin.json {
        print_json(&status)?;
    } else if args.dry_run {
        print(&forecast(&status))?;
    } else {
        print(&describe(&status))?;
    }
    match status.why.filter(|_| args.wait && status.state == RebalanceState::Stuck) {
        Some(why) => Err(CommandError::RebalanceStuck(why)),
        None => Ok(()),
    }
}

/// Waits for the end, showing progress.
async fn wait(client: &mut AdminClient) -> Result<RebalanceStatus, CommandError> {
    let progress = bytes_bar();
    let mut told = false;
    loop {
        let status: RebalanceStatus = match client.get("/v1/rebalance").await {
            Ok(status) => status,
            // The leader may change; the next one continues.
            Err(AdminError::Status { .. } | AdminError::Connection(_) | AdminError::Timeout(_)) => {
                tokio::time::sleep(POLL).await;
                client.get("/v1/rebalance").await?
            }
            Err(error) => return Err(error.into()),
        };
        progress.set_length(status.moved_bytes + status.left_bytes);
        progress.set_position(status.moved_bytes);
        if !status.is_under_way() {
            progress.finish_and_clear();
            return Ok(status);
        }
        if status.state == RebalanceState::Waiting && !told {
            told = true;
            complain("a repair or a drain goes first: see `cairn repair status`");
        }
        tokio::time::sleep(POLL).await;
    }
}
