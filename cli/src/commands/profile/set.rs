//! `cairn profile set`

use clap::{Args, ValueEnum};
use http::Method;

use super::show::render;
use crate::admin::ProfileRule;
use crate::commands::output::{print, print_json};
use crate::commands::{AdminArgs, CommandError};
use crate::unit::parse_bytes;

/// Say how new objects are coded.
#[derive(Debug, Args)]
pub struct SetArgs {
    /// The profile as DATA+PARITY, such as 6+3; `default` takes the rule back.
    profile: String,
    /// Only for this bucket; else for all without a rule of their own.
    #[arg(long)]
    bucket: Option<String>,
    /// Only for objects of this storage class, such as STANDARD_IA; else for all without a rule of their own. A rule for the
    /// bucket goes before one for the class, and one for both before either.
    #[arg(long, value_parser = super::class_parser())]
    class: Option<String>,
    /// The profile of small objects; else plain copies, one more than the parity.
    #[arg(long, value_name = "DATA+PARITY")]
    small: Option<String>,
    /// Size up to which an object is small, such as 16KiB; 0 for no small objects.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    small_bytes: Option<u64>,
    /// Where at most PARITY shards of an object may lie together; else as in the cluster's own profiles.
    #[arg(long, value_enum)]
    apart_by: Option<Domain>,
    /// Shards that are durable before a write is acknowledged; else one more than DATA.
    #[arg(long)]
    write_quorum: Option<u8>,
    /// Bytes of one stripe on one disk, such as 64KiB.
    #[arg(long, value_name = "BYTES", value_parser = parse_bytes)]
    cell: Option<u64>,
    /// Set it although there are too few disks or nodes for it: until there are enough, new objects get what the cluster's
    /// size allows.
    #[arg(long)]
    force: bool,
    /// Only say whether it could be set.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    admin: AdminArgs,
}

/// A level of failure domains.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Domain {
    Disk,
    Node,
    Rack,
    Zone,
}

pub(super) async fn run(args: &SetArgs) -> Result<(), CommandError> {
    let path = format!("/v1/profiles/rules?{}", query(args)?);
    let rule: ProfileRule = args.admin.client()?.call(Method::POST, &path).await?;
    if args.admin.json {
        return print_json(&rule);
    }
    if args.dry_run {
        return print("it could be set: every shard would find a place");
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
    pairs.extend(args.apart_by.map(|domain| ("domain", domain.name().to_owned())));
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

impl Domain {
    const fn name(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Node => "node",
            Self::Rack => "rack",
            Self::Zone => "zone",
        }
    }
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
