//! `cairn scrub start`

use clap::Args;

use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

/// Start scrubs.
#[derive(Debug, Args)]
pub struct StartArgs {
    /// Only this disk: its number or id, as shown by `cairn disk list`.
    #[arg(long, value_name = "ID")]
    disk: Option<String>,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &StartArgs) -> Result<(), CommandError> {
    let started = args.admin.client()?.start_scrub(args.disk.as_deref()).await?;
    if args.admin.json {
        print_json(&started)?;
    } else {
        let mut rows = table(&["disk", "scrub", "id"]);
        for disk in &started {
            let what = disk.error.as_deref().map_or_else(|| "started".to_owned(), |why| format!("not started: {why}"));
            rows.add_row([disk.number.to_string(), what, disk.id.clone()]);
        }
        print(&rows.to_string())?;
    }
    match started.iter().filter(|disk| disk.error.is_some()).count() {
        0 => Ok(()),
        disks => Err(CommandError::NotStarted { disks }),
    }
}
