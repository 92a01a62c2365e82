//! `cairn profile show`

use clap::Args;

use crate::admin::{ProfileEntry, ProfileRule};
use crate::commands::output::{print, print_json, table};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::format_bytes;

/// Show how new objects of a bucket, or of a storage class, are coded.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The bucket [default: all buckets without a rule].
    bucket: Option<String>,
    /// The storage class, such as STANDARD_IA [default: all classes without a rule].
    #[arg(long, value_parser = super::class_parser())]
    class: Option<String>,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &ShowArgs) -> Result<(), CommandError> {
    let (bucket, class) = (args.bucket.as_deref().unwrap_or_default(), args.class.as_deref().unwrap_or_default());
    let path = format!("/v1/profiles/rules?bucket={bucket}&class={class}");
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
    let source = match &rule.follows {
        _ if rule.is_set => "set by `cairn profile set`".to_owned(),
        Some(other) => format!("that of {other}"),
        None => "as the cluster's size allows".to_owned(),
    };
    let limit = format_bytes(rule.small_bytes_max as f64);
    for (name, value) in [
        ("of class", rule.class.clone().unwrap_or_else(|| "all others".to_owned())),
        ("rule", source),
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
    fn a_profile_that_cannot_be_placed_says_what_is_missing() {
        let json = r#"{"bucket":"logs","class":"GLACIER_IR","is_set":false,"follows":"bucket logs","small_bytes_max":16384,
            "small":null,
            "large":{"id":8,"name":"6+3","data_shards":6,"parity_shards":3,"cell_bytes":65536,"write_quorum":7,
            "failure_domain":"node","made_by":"operator"},"small_now":"1+2","large_now":"4+2",
            "lacks":"6+3 cannot be placed: 1 more node is needed"}"#;
        let text = render(&serde_json::from_str(json).unwrap());
        for part in [
            "logs",
            "GLACIER_IR",
            "that of bucket logs",
            "up to 16.0 KiB",
            "acknowledged with 7",
            "at present 4+2 instead",
            "1 more node",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
