//! `cairn metadata restore`

use std::path::PathBuf;

use cairn_recovery::backup::BackupSummary;
use cairn_recovery::restore::FromDisks;
use cairn_server::config::{Config, Layer, partial};
use cairn_server::offline;
use clap::Args;

use crate::commands::CommandError;
use crate::commands::output::{complain, print};
use crate::commands::server::complain_of;
use crate::unit::format_bytes;

/// Which member.
#[derive(Debug, Args)]
pub(super) struct MemberDirArgs {
    /// The configuration file of the member.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The member's data directory, unless the configuration names it [default: cairn-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl MemberDirArgs {
    /// The configuration of a server with these flags.
    pub(super) fn config(&self) -> Result<Config, CommandError> {
        let server = partial::Server { data: self.data.clone(), ..partial::Server::default() };
        let flags = Layer { server, ..Layer::default() };
        let loaded = Config::load(self.config.as_deref(), std::env::vars(), flags)?;
        complain_of(&loaded.warnings);
        Ok(loaded.config)
    }
}

/// The storage nodes to query.
#[derive(Debug, Args)]
pub(super) struct NodesArgs {
    /// HOST:PORT of a running storage node's internal RPC; repeat for each. The configuration's own disks are
    /// read too.
    #[arg(long, value_name = "HOST:PORT")]
    pub(super) node: Vec<String>,
}

#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    #[arg(required_unless_present = "from_disks", conflicts_with = "from_disks")]
    backup: Option<PathBuf>,
    /// Use the newest complete backup on the disks.
    #[arg(long)]
    from_disks: bool,
    /// Which nodes.
    #[command(flatten)]
    nodes: NodesArgs,
    /// Where to.
    #[command(flatten)]
    member: MemberDirArgs,
}

pub(super) async fn run(args: &RestoreArgs) -> Result<(), CommandError> {
    let config = args.member.config()?;
    if let Some(file) = &args.backup {
        print(&describe("restored", &offline::restore(&config, file)?))?;
    } else {
        let made = offline::restore_from_disks(&config, &args.nodes.node).await?;
        for passed_over in &made.passed_over {
            complain(&format!("a newer backup is not whole: {passed_over}"));
        }
        complain(&format!("read {}", describe_search(&made)));
        if let Some(backup) = &made.backup {
            print(&describe("restored", backup))?;
        }
    }
    complain(
        "Start the server: it is the only member, add others with `cairn metadata members add`. It compares itself with \
         the disks: what was written after the backup comes back, and `cairn metadata findings` lists what differs. \
         Nothing is deleted until everything is proven, or until you say `cairn metadata resume-deletions`.",
    );
    Ok(())
}

/// The disks and nodes that were searched.
pub(super) fn describe_search(made: &FromDisks) -> String {
    let found = format!("{} disks of {} nodes", made.disks, made.nodes);
    if made.missing.is_empty() { found } else { format!("{found}; away: {}", made.missing.join("; ")) }
}

/// One line about a backup.
pub(super) fn describe(what: &str, summary: &BackupSummary) -> String {
    let BackupSummary { cluster, commit, objects, bytes, .. } = summary;
    format!("{what}: cluster {cluster}, commit {commit}, {objects} objects, {} of rows", format_bytes(*bytes as f64))
}
