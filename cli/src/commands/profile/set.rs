//! `cairn profile set`

use clap::Args;
use http::Method;

use super::show::render;
use crate::admin::ProfileRule;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::parse_bytes;

/// Set how new objects are coded.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The profile as DATA+PARITY, such as 6+3; `default` removes the rule.
    profile: String,
    /// Only for this bucket [default: all buckets without a rule].
    #[arg(long)]
    bucket: Option<String>,
    /// Only for this storage class, such as STANDARD_IA [default: all classes without a rule]. A rule for a
    /// bucket wins over one for a class, and one for both wins over either.
    #[arg(long, value_parser = super::class_parser())]
    class: Option<String>,
    /// The profile of small objects [default: plain copies, one more than PARITY].
    #[arg(long, value_name = "DATA+PARITY")]
    small: Option<String>,
    /// Largest size of a small object, such as 16KiB; 0 for none.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    small_bytes: Option<u64>,
    /// Level at which no domain holds more than PARITY shards of an extent [default: the cluster's].
    #[arg(long, value_parser = super::domain_parser())]
    apart_by: Option<String>,
    /// Shards that must be durable before a write is acknowledged [default: DATA + 1].
    #[arg(long)]
    write_quorum: Option<u8>,
    /// Cell size: bytes of one stripe on one disk, such as 64KiB.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    cell: Option<u64>,
    /// Set it even with too few disks or nodes: until there are enough, new objects get the profile that the cluster's
    /// size allows.
    #[arg(long)]
    force: bool,
    /// Only check whether it could be set.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &SetArgs) -> Result<(), CommandError> {
    let path = format!("/v1/profiles/rules?{}", query(args)?);
    let rule: ProfileRule = args.admin.client()?.call(Method::POST, &path).await?;
    if args.admin.json {
        return print_json(&rule);
    }
    if args.dry_run {
        return print("it can be set: the cluster has a place for every shard");
    }
    print(&format!("{}\n\nwhat is stored already stays as it is", render(&rule)))
}

fn query(args: &SetArgs) -> Result<String, CommandError> {
    let mut pairs: Vec<(&str, String)> = Vec::new();
    pairs.extend(args.bucket.iter().map(|bucket| ("bucket", bucket.clone())));
    pairs.extend(args.class.iter().map(|class| ("class", class.clone())));
    if args.profile == "default" {
        pairs.push(("default", "true".to_owned()));
    } else {
        let (data, parity) = shape(&args.profile)?;
        pairs.extend([("data", data), ("parity", parity)]);
    }
    if let Some(small) = &args.small {
        let (data, parity) = shape(small)?;
        pairs.extend([("small_data", data), ("small_parity", parity)]);
    }
    pairs.extend(args.small_bytes.map(|bytes| ("small_bytes", bytes.to_string())));
    pairs.extend(args.apart_by.clone().map(|domain| ("domain", domain)));
    pairs.extend(args.write_quorum.map(|quorum| ("write_quorum", quorum.to_string())));
    pairs.extend(args.cell.map(|bytes| ("cell_bytes", bytes.to_string())));
    pairs.extend([("force", args.force), ("dry_run", args.dry_run)].map(|(name, flag)| (name, flag.to_string())));
    Ok(pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
}

/// `4+2` as its two numbers.
fn shape(text: &str) -> Result<(String, String), CommandError> {
    let numbers = text.split_once('+').and_then(|(data, parity)| {
        let number = |text: &str| text.parse::<u8>().ok().map(|number| number.to_string());
        Some((number(data)?, number(parity)?))
    });
    numbers.ok_or_else(|| CommandError::Shape(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_two_numbers() {
        assert_eq!(shape("6+3").unwrap(), ("6".to_owned(), "3".to_owned()));
        for bad in ["6", "6+", "+3", "6-3", "600+3", "a+b"] {
            assert!(shape(bad).is_err(), "{bad}");
        }
    }
}
