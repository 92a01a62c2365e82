//! `cairn disk show`

use clap::Args;

use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};

/// Show one disk.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The disk's number, as `cairn disk list` shows it.
    disk: u64,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &ShowArgs) -> Result<(), CommandError> {
    let state = args.admin.client()?.disk(args.disk).await?;
    if args.admin.json {
        return print_json(&state);
    }
    let mut rows = table(&["disk", &state.number.to_string()]);
    let standing = if state.is_draining { "being drained" } else { "a member" };
    for (name, value) in [
        ("id", state.id.as_str()),
        ("path", &state.path),
        ("state", state.state.name()),
        ("standing", standing),
        ("shards that metadata has on it", &state.shards_left.to_string()),
    ] {
        rows.add_row([name, value]);
    }
    print(&rows.to_string())
}
