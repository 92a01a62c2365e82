//! `cairn rebalance status`

use clap::Args;

use super::render::{describe, shares};
use crate::admin::RebalanceStatus;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};

/// Show the rebalance's progress, or how the last one ended.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Count what every disk holds now. Reads every extent's row.
    #[arg(long)]
    survey: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &StatusArgs) -> Result<(), CommandError> {
    let path = format!("/v1/rebalance?survey={}", args.survey);
    let status: RebalanceStatus = args.admin.client()?.get(&path).await?;
    if args.admin.json {
        return print_json(&status);
    }
    let mut text = describe(&status);
    if !status.disks.is_empty() {
        text = format!("{text}\n\n{}", shares(&status.disks));
    }
    print(&text)
}
