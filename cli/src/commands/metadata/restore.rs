//! `cairn metadata restore`

use std::path::PathBuf;

use cairn_server::config::{Config, Layer};
use cairn_server::offline::{self, BackupSummary};
use clap::Args;

use crate::commands::CommandError;
use crate::commands::output::{complain, print};
use crate::unit::format_bytes;

/// Which member.
#[derive(Debug, Args)]
pub(super) struct MemberDirArgs {
    /// The configuration file of the member.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory of the member, if the configuration does not say it [default: cairn-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl MemberDirArgs {
    /// The configuration that a server with these flags would have.
    pub(super) fn config(&self) -> Result<Config, CommandError> {
        let layer = Layer { data: self.data.clone(), ..Layer::default() };
        Ok(Config::load(self.config.as_deref(), std::env::vars(), layer)?)
    }
}

/// What `restore` takes.
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// The backup.
    backup: PathBuf,
    /// Where to.
    #[command(flatten)]
    member: MemberDirArgs,
}

pub(super) fn run(args: &RestoreArgs) -> Result<(), CommandError> {
    let summary = offline::restore(&args.member.config()?, &args.backup)?;
    print(&describe("restored", &summary))?;
    complain(
        "Start the server: it is the only member, add others with `cairn metadata members add`. What was written after \
         the backup is not in it, and what was deleted after it may be missing on the disks. Nothing is deleted until \
         you say `cairn metadata resume-deletions`.",
    );
    Ok(())
}

/// One line about a backup.
pub(super) fn describe(what: &str, summary: &BackupSummary) -> String {
    let BackupSummary { cluster, commit, objects, bytes, .. } = summary;
    format!("{what}: cluster {cluster}, commit {commit}, {objects} objects, {} of rows", format_bytes(*bytes as f64))
}
