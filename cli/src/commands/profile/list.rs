//! `cairn profile list`

use serde::Serialize;

use super::show::shape;
use crate::admin::{ProfileEntry, ProfileRule};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Rules and profiles.
#[derive(Debug, Serialize)]
struct Profiles {
    rules: Vec<ProfileRule>,
    profiles: Vec<ProfileEntry>,
}

pub(super) async fn run(args: &AdminArgs) -> Result<(), CommandError> {
    let mut client = args.client()?;
    let (rules, profiles) = (client.get("/v1/profiles/rules").await?, client.get("/v1/profiles").await?);
    let all = Profiles { rules, profiles };
    if args.json { print_json(&all) } else { print(&render(&all)) }
}

fn render(all: &Profiles) -> String {
    let mut rules = table(&["new objects in", "of class", "up to", "small", "larger", "now", ""]);
    for rule in &all.rules {
        rules.add_row([
            rule.bucket.clone().unwrap_or_else(|| "all other buckets".to_owned()),
            rule.class.clone().unwrap_or_else(|| "all others".to_owned()),
            format_bytes(rule.small_bytes_max as f64),
            shape(rule.small.as_ref()),
            shape(rule.large.as_ref()),
            format!("{}, {}", rule.small_now, rule.large_now),
            if rule.is_set { "set" } else { "as the cluster's size allows" }.to_owned(),
        ]);
    }
    let mut profiles = table(&["id", "shards", "cell", "write quorum", "apart by", "made by"]);
    for profile in &all.profiles {
        profiles.add_row([
            profile.id.to_string(),
            profile.name.clone(),
            format_bytes(f64::from(profile.cell_bytes)),
            profile.write_quorum.to_string(),
            profile.failure_domain.to_string(),
            profile.made_by.to_string(),
        ]);
    }
    format!("{rules}\n\n{profiles}")
}
