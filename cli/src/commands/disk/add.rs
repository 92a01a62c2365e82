//! `cairn disk add`

use std::path::PathBuf;

use clap::Args;

use crate::admin::{DiskEntry, DiskState};
use crate::commands::joining::{NewDisks, WaitFlags, guide, list};
use crate::commands::{AdminArgs, CommandError};

/// Print how to add disks to a node, and wait until they are active.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The node's name, as `cairn node list` shows it.
    node: String,
    /// The new disks: empty directories, each on its own filesystem.
    #[arg(required = true, value_name = "PATH")]
    disks: Vec<PathBuf>,
    #[command(flatten)]
    wait: WaitFlags,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &AddArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let disks = client.disks().await?;
    let own: Vec<&DiskEntry> =
        disks.iter().filter(|disk| disk.node == args.node && disk.state != DiskState::Removed).collect();
    if own.is_empty() {
        return Err(CommandError::NoSuchNode(args.node.clone()));
    }
    let text = instructions(args, &own);
    let new = NewDisks { node: &args.node, paths: &args.disks };
    guide(&mut client, new, &text, &args.wait, args.admin.json).await
}

fn instructions(args: &AddArgs, own: &[&DiskEntry]) -> String {
    let mut all: Vec<PathBuf> = own.iter().map(|disk| PathBuf::from(&disk.path)).collect();
    all.extend(args.disks.iter().filter(|disk| !all.contains(disk)).cloned().collect::<Vec<_>>());
    format!(
        "On {}, mount the new filesystems, set this in its configuration, and have the server read it again \
         (`systemctl reload`, or SIGHUP to its process); clients do not notice:\n\n\
         [storage_node]\n\
         disks = {}\n",
        args.node,
        list(&all)
    )
}
