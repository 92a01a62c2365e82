//! `cairn node drain`

use clap::Args;

use crate::admin::{DiskProgress, DiskState};
use crate::commands::drain::{DrainFlags, order, wait_until_empty};
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Move all shards off all disks of a node.
#[derive(Debug, Args)]
pub struct DrainArgs {
    /// The node's name, as `cairn node list` shows it.
    node: String,
    #[command(flatten)]
    flags: DrainFlags,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &DrainArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let disks = client.disks().await?;
    let own = disks.iter().filter(|disk| disk.node == args.node && disk.state != DiskState::Removed);
    let own: Vec<u64> = own.map(|disk| disk.number).collect();
    if own.is_empty() {
        return Err(CommandError::NoSuchNode(args.node.clone()));
    }
    let mut states: Vec<DiskProgress> = Vec::new();
    for disk in &own {
        states.push(order(&mut client, *disk, &args.flags).await?);
    }
    if args.flags.wait {
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
    print(&match (args.flags.cancel, args.flags.dry_run) {
        (true, _) => format!("the {count} disks of {node} keep their shards"),
        (_, true) => format!("{left} shards would move from the {count} disks of {node}"),
        _ => format!("the {count} disks of {node} are being drained, {left} shards to go: `cairn disk list`"),
    })
}
