//! Shared by `cairn node add` and `cairn disk add`: a process joins by itself with the cluster's secret; the verbs print what
//! to run and wait.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::CommandError;
use super::output::{bar, complain, print, print_json};
use crate::admin::{AdminClient, DiskEntry, DiskState};
use crate::unit::parse_duration;

/// Pause between two polls.
const POLL: Duration = Duration::from_millis(500);

/// Flags for waiting.
#[derive(Debug, Args)]
pub(super) struct WaitFlags {
    /// Only print the instructions.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// How long to wait for the disks.
    #[arg(long, default_value = "10m", value_parser = parse_duration)]
    pub(super) timeout: Duration,
}

/// The disks to wait for.
pub(super) struct NewDisks<'a> {
    pub(super) node: &'a str,
    pub(super) paths: &'a [PathBuf],
}

/// Prints the instructions, waits until the new disks are active, and shows them.
pub(super) async fn guide(
    client: &mut AdminClient,
    NewDisks { node, paths }: NewDisks<'_>,
    instructions: &str,
    flags: &WaitFlags,
    json: bool,
) -> Result<(), CommandError> {
    if flags.no_wait {
        return print(instructions);
    }
    // Programs read the disks from standard output.
    if json {
        complain(instructions);
    } else {
        print(instructions)?;
    }
    let disks = wait(client, node, paths, flags.timeout).await?;
    if json {
        return print_json(&disks);
    }
    let numbers: Vec<String> = disks.iter().map(|disk| disk.number.to_string()).collect();
    print(&format!(
        "disks {} of {node} are active and take new objects; `cairn rebalance start` moves their share of the old ones there",
        numbers.join(", ")
    ))
}

async fn wait(
    client: &mut AdminClient,
    node: &str,
    paths: &[PathBuf],
    timeout: Duration,
) -> Result<Vec<DiskEntry>, CommandError> {
    let progress = bar("disks active");
    progress.set_length(paths.len() as u64);
    let looks = timeout.as_millis() / POLL.as_millis() + 1;
    let mut seen = "it has not registered".to_owned();
    for _ in 0..looks {
        let disks = client.disks().await?;
        let own: Vec<DiskEntry> = disks.into_iter().filter(|disk| is_meant(disk, node, paths)).collect();
        let active = own.iter().filter(|disk| disk.state == DiskState::Active).count();
        progress.set_position(active as u64);
        if active == paths.len() {
            progress.finish_and_clear();
            return Ok(own);
        }
        if !own.is_empty() {
            seen = own.iter().map(describe).collect::<Vec<_>>().join("; ");
        }
        tokio::time::sleep(POLL).await;
    }
    Err(CommandError::NotAdded { what: format!("node {node}"), seconds: timeout.as_secs(), seen })
}

fn is_meant(disk: &DiskEntry, node: &str, paths: &[PathBuf]) -> bool {
    disk.node == node
        && disk.state != DiskState::Removed
        && paths.iter().any(|path| path.as_os_str() == disk.path.as_str())
}

fn describe(disk: &DiskEntry) -> String {
    let reason = disk.reason.as_deref().map_or_else(String::new, |reason| format!(" ({reason})"));
    format!("disk {} ({}) is {}{reason}", disk.number, disk.path, disk.state)
}

/// Directories as a list in TOML.
pub(super) fn list(paths: &[PathBuf]) -> String {
    let quoted: Vec<String> = paths.iter().map(|path| format!("{:?}", path.display().to_string())).collect();
    format!("[{}]", quoted.join(", "))
}
