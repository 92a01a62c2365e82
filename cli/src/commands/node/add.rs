//! `cairn node add`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::commands::joining::{WaitFlags, guide, list};
use crate::commands::{AdminArgs, CommandError};

/// Print what to run on a new machine and wait until its disks are active. A node with the cluster's secret needs no
/// further permission.
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The node's display name.
    node: String,
    /// Address under which other nodes reach it: HOST:PORT.
    #[arg(long, value_name = "HOST:PORT")]
    addr: String,
    /// A disk: an empty directory on its own filesystem. Repeat for each disk.
    #[arg(long = "disk", value_name = "PATH", required = true)]
    disks: Vec<PathBuf>,
    /// The node's rack.
    #[arg(long)]
    rack: Option<String>,
    /// The node's zone.
    #[arg(long)]
    zone: Option<String>,
    #[command(flatten)]
    wait: WaitFlags,
    #[command(flatten)]
    admin: AdminArgs,
}

pub(super) async fn run(args: &AddArgs) -> Result<(), CommandError> {
    let mut client = args.admin.client()?;
    let members = client.metadata_members().await?;
    let addrs: Vec<String> =
        members.members.into_iter().map(|member| member.addr).filter(|addr| !addr.is_empty()).collect();
    if addrs.is_empty() {
        return Err(CommandError::AllInOne);
    }
    let text = instructions(args, &addrs);
    guide(&mut client, (&args.node, &args.disks), &text, &args.wait, args.admin.json).await
}

fn instructions(args: &AddArgs, members: &[String]) -> String {
    let mut text = format!(
        "On {}, put the cluster's secret into /etc/cairn/cluster-secret (mode 0600), write this to cairn.toml, and run\n\
         `cairn server --config cairn.toml`:\n\n",
        args.node
    );
    let port = args.addr.rsplit_once(':').map_or("9002", |(_, port)| port);
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name} = {value}");
    };
    line("roles", "[\"storage-node\"]".to_owned());
    line("node_name", format!("{:?}", args.node));
    line("data", "\"/var/lib/cairn\"".to_owned());
    line("disks", list(&args.disks));
    line("rpc_addr", format!("\"0.0.0.0:{port}\""));
    line("rpc_advertise", format!("{:?}", args.addr));
    line("metadata_addrs", format!("{members:?}"));
    line("cluster_secret_file", "\"/etc/cairn/cluster-secret\"".to_owned());
    for (name, label) in [("rack", &args.rack), ("zone", &args.zone)] {
        if let Some(label) = label {
            line(name, format!("{label:?}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::commands::Cli;

    #[test]
    fn the_configuration_is_one_that_a_server_takes() {
        let line = "cairn node add n7 --addr 10.0.0.7:9002 --disk /mnt/a --disk /mnt/b --rack r1";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let crate::commands::Command::Node(crate::commands::node::NodeCommand::Add(args)) = cli.command else {
            panic!("another command")
        };
        let text = instructions(&args, &["10.0.0.1:9002".to_owned()]);
        let (_, toml) = text.split_once("\n\n").unwrap();
        let layer: cairn_server::config::Layer = toml::from_str(toml).unwrap();
        assert_eq!((layer.node_name.as_deref(), layer.rack.as_deref()), (Some("n7"), Some("r1")));
        assert_eq!(layer.disks.map(|disks| disks.len()), Some(2));
        assert_eq!(layer.metadata_addrs, Some(vec!["10.0.0.1:9002".to_owned()]));
    }
}
