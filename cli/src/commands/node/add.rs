//! `cairn node add`

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::commands::joining::{NewDisks, WaitFlags, guide, list};
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
    let new = NewDisks { node: &args.node, paths: &args.disks };
    guide(&mut client, new, &text, &args.wait, args.admin.json).await
}

fn instructions(args: &AddArgs, members: &[String]) -> String {
    let mut text = format!(
        "On {}, put the cluster's secret into /etc/cairn/cluster-secret (mode 0600), write this to cairn.toml, and run\n\
         `cairn server --config cairn.toml`:\n\n",
        args.node
    );
    let port = args.addr.rsplit_once(':').map_or("9002", |(_, port)| port);
    let _ = write!(
        text,
        "[server]\n\
         roles = [\"storage-node\"]\n\
         data = \"/var/lib/cairn\"\n\
         rpc_addr = \"0.0.0.0:{port}\"\n\
         rpc_advertise = {addr:?}\n\n\
         [cluster]\n\
         secret_file = \"/etc/cairn/cluster-secret\"\n\
         metadata_addrs = {members:?}\n\n\
         [storage_node]\n\
         name = {node:?}\n\
         disks = {disks}\n",
        addr = args.addr,
        node = args.node,
        disks = list(&args.disks)
    );
    for (name, label) in [("rack", &args.rack), ("zone", &args.zone)] {
        if let Some(label) = label {
            let _ = writeln!(text, "{name} = {label:?}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use cairn_server::config::{Config, Layer};
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
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("cairn.toml");
        std::fs::write(&file, toml).unwrap();
        let loaded = Config::load(Some(&file), std::iter::empty(), Layer::default()).unwrap();
        assert_eq!(loaded.warnings, []);
        let node = loaded.config.storage_node;
        assert_eq!((&*node.name, &*node.rack, node.disks.len()), ("n7", "r1", 2));
        assert_eq!(loaded.config.cluster.metadata_addrs, ["10.0.0.1:9002"]);
    }
}
