//! `cairn placement explain`

use std::fmt::Write as _;

use cairn_protocol::sigv4::encode_path;
use clap::Args;

use crate::admin::{PlacedShard, Placement};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Show every shard of an object.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The bucket.
    bucket: String,
    /// The key.
    key: String,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &ExplainArgs) -> Result<(), CommandError> {
    let path = format!("/v1/placement/{}/{}", args.bucket, encode_path(&args.key));
    let placement: Placement = args.admin.client()?.get(&path).await?;
    if args.admin.json { print_json(&placement) } else { print(&render(&placement)) }
}

fn render(placement: &Placement) -> String {
    let (bytes, class) = (format_bytes(placement.size as f64), &placement.storage_class);
    let mut text = format!("{bytes}, class {class}, in {} extents", placement.extents.len());
    for extent in &placement.extents {
        let bytes = format_bytes(extent.bytes as f64);
        let (id, profile, offset) = (&extent.id, &extent.profile, extent.offset);
        // Writing to a String does not fail.
        let _ =
            write!(text, "\n\nextent {id}: {bytes} from byte {offset}, {profile}, moved {} times\n", extent.generation);
        let mut rows = table(&["shard", "holds", "disk", "state", "node", "rack", "zone"]);
        for shard in &extent.shards {
            rows.add_row(row(shard));
        }
        text.push_str(&rows.to_string());
    }
    text
}

fn row(shard: &PlacedShard) -> [String; 7] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        shard.shard.to_string(),
        shard.holds.to_string(),
        shard.disk.map_or_else(|| "nowhere".to_owned(), |disk| disk.to_string()),
        shard.state.to_string(),
        text(&shard.node),
        text(&shard.rack),
        text(&shard.zone),
    ]
}
