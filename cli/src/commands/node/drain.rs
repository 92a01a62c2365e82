//! `cairn node drain`

use clap::Args;
use http::Method;

use crate::admin::DiskProgress;
use crate::commands::disk::drain::wait_until_empty;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Move all shards off all disks of a node.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The node's name, as `cairn node list` shows it.
    node: String,
    /// End the drains of its disks.
    #[arg(long, conflicts_with_all = ["dry_run", "force", "wait"])]
    cancel: bool,
    /// Only say what would move.
    #[arg(long)]
    dry_run: bool,
    /// Drain it even if the remaining disks cannot hold as much redundancy.
    #[arg(long)]
    force: bool,
    /// Wait until its disks are empty.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &DrainArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let disks = client.disks().await?;
    let own: Vec<u64> =
        disks.iter().filter(|disk| disk.node == args.node && disk.state != "removed").map(|disk| disk.number).collect();
    if own.is_empty() {
        return Err(CommandError::NoSuchNode(args.node.clone()));
    }
    let mut states: Vec<DiskProgress> = Vec::new();
    for disk in &own {
        let path = format!("/v1/disks/{disk}/drain");
        states.push(if args.cancel {
            client.call(Method::DELETE, &path).await?
        } else {
            client.call(Method::POST, &format!("{path}?force={}&dry_run={}", args.force, args.dry_run)).await?
        });
    }
    if args.wait {
        states.clear();
        for disk in &own {
            states.push(wait_until_empty(&mut client, *disk).await?);
        }
    }
    if args.admin.json {
        return print_json(&states);
    }
    let left: u64 = states.iter().map(|state| state.shards_left).sum();
    let (node, count) = (&args.node, own.len());
    print(&match (args.cancel, args.dry_run) {
        (true, _) => format!("the {count} disks of {node} keep their shards"),
        (_, true) => format!("{left} shards would move from the {count} disks of {node}"),
        _ => format!("the {count} disks of {node} are being drained, {left} shards to go: `cairn disk list`"),
    })
}
