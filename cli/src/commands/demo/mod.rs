//! `cairn demo`: a cluster of six nodes in one process and a temporary directory loses two disks, repairs itself and
//! drains a third: the first two minutes with Cairn.

mod cluster;
mod error;
mod files;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use http::Method;

pub use error::DemoError;

use super::CommandError;
use super::drain::wait_until_empty;
use super::output::print;
use crate::admin::{AdminClient, DiskEntry, DiskProgress, DiskState, VerifyReport};
use crate::unit::format_bytes;
use cluster::DemoCluster;
use files::Files;

/// The nodes that lose a disk.
const DESTROYED: [usize; 2] = [1, 2];
/// Limit for the repair of two disks.
const REPAIR_LIMIT: Duration = Duration::from_mins(5);
/// Pause between two polls.
const POLL: Duration = Duration::from_secs(1);

/// Show a cluster at work: files stored, two disks destroyed, everything read back, repaired, and a third disk drained.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The directory whose files are stored.
    #[arg(long, value_name = "DIR", default_value = ".")]
    files: PathBuf,
    /// Keep the cluster's directory.
    #[arg(long)]
    keep: bool,
}

pub(super) async fn run(args: &DemoArgs) -> Result<(), CommandError> {
    let directory = std::env::temp_dir().join(format!("cairn-demo-{}", std::process::id()));
    let shown = play(args, &directory).await;
    if args.keep {
        print(&format!("the cluster's directory is {}", directory.display()))?;
    } else {
        // A directory that cannot be removed is left to the system, like other temporary files.
        let _ = std::fs::remove_dir_all(&directory);
    }
    shown
}

async fn play(args: &DemoArgs, directory: &std::path::Path) -> Result<(), CommandError> {
    print("1. Six nodes with two disks each, in this process.")?;
    let cluster = DemoCluster::start(directory).await?;
    let mut admin = cluster.admin();
    print(&format!("   S3 at {}, admin API at {}", cluster.s3(), cluster.admin_endpoint()))?;

    let files = Files::choose(&args.files)?;
    print(&format!("2. Storing {} files of together {}.", files.count(), format_bytes(files.bytes() as f64)))?;
    let mut client = cluster.client();
    files.store(&mut client).await?;
    show(&mut admin).await?;

    print("3. Destroying one disk on each of two nodes.")?;
    for node in DESTROYED {
        print(&format!("   rm -r {}", cluster.destroy_disk(node)?.display()))?;
    }
    files.compare(&mut client).await?;
    print("   Every file reads back, byte for byte.")?;

    print("4. Repair: the lost shards are rebuilt on other disks.")?;
    wait_until_whole(&mut admin).await?;
    show(&mut admin).await?;

    let third = disk_of(&mut admin, "node3").await?;
    print(&format!("5. Draining disk {third}: `cairn disk drain {third} --wait`, `cairn disk remove {third}`."))?;
    let _: DiskProgress = admin.call(Method::POST, &format!("/v1/disks/{third}/drain")).await?;
    wait_until_empty(&mut admin, third).await?;
    let _: DiskProgress = admin.call(Method::DELETE, &format!("/v1/disks/{third}")).await?;
    show(&mut admin).await?;
    files.compare(&mut client).await?;
    print("   Every file reads back, byte for byte. Start your own: `cairn server`.")?;
    client.disconnect();
    cluster.stop().await;
    Ok(())
}

/// Shows the disks' states and a verification.
async fn show(admin: &mut AdminClient) -> Result<(), CommandError> {
    let mut states: Vec<(DiskState, usize)> = Vec::new();
    for disk in admin.disks().await? {
        match states.iter_mut().find(|(state, _)| *state == disk.state) {
            Some((_, count)) => *count += 1,
            None => states.push((disk.state, 1)),
        }
    }
    let states: Vec<String> = states.iter().map(|(state, count)| format!("{count} {state}")).collect();
    print(&format!("   Disks: {}. {}", states.join(", "), describe(&admin.verify(|_| {}).await?)))
}

fn describe(report: &VerifyReport) -> String {
    let at_risk: u64 = report.at_risk.iter().map(|class| class.amount.objects).sum();
    let (whole, lost) = (report.whole.objects, report.lost.objects);
    format!("Verified against every disk: {whole} objects whole, {at_risk} at risk, {lost} lost.")
}

async fn wait_until_whole(admin: &mut AdminClient) -> Result<(), CommandError> {
    let whole = async {
        loop {
            let failed = admin.disks().await?.iter().filter(|disk| disk.state == DiskState::Failed).count();
            let report = admin.verify(|_| {}).await?;
            let repair = admin.repair().await?;
            let done = format_bytes(repair.done_bytes as f64);
            print(&format!(
                "   {failed} disks expired, {} shards ({done}) rebuilt. {}",
                repair.done_shards,
                describe(&report)
            ))?;
            // The nodes need a moment to notice the loss.
            if failed >= DESTROYED.len() && report.is_healthy() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
    };
    tokio::time::timeout(REPAIR_LIMIT, whole).await.unwrap_or_else(|_| Err(DemoError::Slow.into()))
}

/// The first disk of a node.
async fn disk_of(admin: &mut AdminClient, node: &str) -> Result<u64, CommandError> {
    let disks: Vec<DiskEntry> = admin.disks().await?;
    let disk = disks.iter().find(|disk| disk.node == node && disk.state == DiskState::Active);
    Ok(disk.map(|disk| disk.number).ok_or(DemoError::NoDisk)?)
}
