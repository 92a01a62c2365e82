//! `cairn profile show`

use clap::Args;

use crate::admin::{ProfileEntry, ProfileRule};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Show how new objects of a bucket are coded.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The bucket; without it, all buckets that have no rule of their own.
    bucket: Option<String>,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &ShowArgs) -> Result<(), CommandError> {
    let path = format!("/v1/profiles/rules?bucket={}", args.bucket.as_deref().unwrap_or_default());
    let rules: Vec<ProfileRule> = args.admin.client()?.get(&path).await?;
    if args.admin.json {
        return print_json(&rules.first());
    }
    print(&rules.first().map_or_else(String::new, render))
}

/// The name of a profile, or `none`.
pub(super) fn shape(profile: Option<&ProfileEntry>) -> String {
    profile.map_or_else(|| "none".to_owned(), |profile| profile.name.clone())
}

/// A rule in full.
pub(super) fn render(rule: &ProfileRule) -> String {
    let scope = rule.bucket.clone().unwrap_or_else(|| "all other buckets".to_owned());
    let mut rows = table(&["new objects in", &scope]);
    let source = match (rule.is_set, &rule.bucket) {
        (true, _) => "set by `cairn profile set`",
        (false, Some(_)) => "as all buckets without a rule of their own",
        (false, None) => "as the cluster's size allows",
    };
    let limit = format_bytes(rule.small_bytes_max as f64);
    for (name, value) in [
        ("rule", source.to_owned()),
        (&format!("up to {limit}"), describe(rule.small.as_ref(), &rule.small_now)),
        ("larger", describe(rule.large.as_ref(), &rule.large_now)),
    ] {
        rows.add_row([name, &value]);
    }
    match &rule.lacks {
        Some(lacks) => format!("{rows}\n\n{lacks}"),
        None => rows.to_string(),
    }
}

fn describe(profile: Option<&ProfileEntry>, now: &str) -> String {
    let Some(profile) = profile else { return "nothing can be placed".to_owned() };
    let ProfileEntry { name, write_quorum, failure_domain, parity_shards, .. } = profile;
    let instead = if name == now { String::new() } else { format!("; at present {now} instead") };
    let cell = format_bytes(f64::from(profile.cell_bytes));
    format!(
        "{name}, cells of {cell}, acknowledged with {write_quorum} shards, at most {parity_shards} in a \
         {failure_domain}{instead}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let json = r#"{"bucket":"logs","is_set":true,"small_bytes_max":16384,"small":null,
            "large":{"id":8,"name":"6+3","data_shards":6,"parity_shards":3,"cell_bytes":65536,"write_quorum":7,
            "failure_domain":"node","made_by":"operator"},"small_now":"1+2","large_now":"4+2",
            "lacks":"6+3 cannot be placed: 1 more node is needed"}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        for part in ["logs", "up to 16.0 KiB", "acknowledged with 7", "at present 4+2 instead", "1 more node"] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
