//! `cairn server`

use std::path::PathBuf;

use cairn_server::config::{Config, Layer, Warning, partial, reference};
use clap::Args;

use super::CommandError;
use super::output::{complain, print};

/// Start a server.
#[derive(Debug, Args)]
pub struct ServerArgs {
    /// The data directory [default: cairn-data].
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Number of disk directories to create under the data directory [default: 6].
    #[arg(long, value_name = "N", conflicts_with = "disk", value_parser = clap::value_parser!(u32).range(1..=64))]
    disks: Option<u32>,
    /// A disk: a directory on its own filesystem. Repeat for each disk.
    #[arg(long, value_name = "PATH")]
    disk: Vec<PathBuf>,
    /// A TOML configuration file. Flags and CAIRN_* variables override it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address of the S3 API [default: 0.0.0.0:9000].
    #[arg(long, value_name = "ADDR")]
    s3_addr: Option<String>,
    /// Address of the admin API and health checks [default: 0.0.0.0:9001].
    #[arg(long, value_name = "ADDR")]
    admin_addr: Option<String>,
    /// Address of the internal RPC [default: 0.0.0.0:9002].
    #[arg(long, value_name = "ADDR")]
    rpc_addr: Option<String>,
    /// Print the effective configuration without secrets, and exit.
    #[arg(long)]
    print_config: bool,
    /// Print the page that describes every key of the configuration, and exit.
    #[arg(long, hide = true)]
    print_config_reference: bool,
}

impl ServerArgs {
    /// The settings given as flags.
    fn layer(&self) -> Layer {
        let server = partial::Server {
            data: self.data.clone(),
            admin_addr: self.admin_addr.clone(),
            rpc_addr: self.rpc_addr.clone(),
            ..partial::Server::default()
        };
        let storage_node = partial::StorageNode {
            disk_count: self.disks,
            disks: Some(self.disk.clone()).filter(|disks| !disks.is_empty()),
            ..partial::StorageNode::default()
        };
        let gateway = partial::Gateway { s3_addr: self.s3_addr.clone(), ..partial::Gateway::default() };
        Layer { server, storage_node, gateway, ..Layer::default() }
    }
}

/// Says what should be changed in the configuration, where there is no log to say it.
pub(super) fn complain_of(warnings: &[Warning]) {
    for warning in warnings {
        complain(&format!("warning: {warning}"));
    }
}

/// Runs the server until a signal stops it.
pub(super) fn run(args: ServerArgs) -> Result<(), CommandError> {
    if args.print_config_reference {
        return print(reference().trim_end());
    }
    let print_config = args.print_config;
    let load = move || Config::load(args.config.as_deref(), std::env::vars(), args.layer());
    let loaded = load()?;
    if print_config {
        complain_of(&loaded.warnings);
        return print(loaded.config.to_string().trim_end());
    }
    Ok(cairn_server::run(&loaded, load)?)
}

#[cfg(test)]
mod tests {
    use cairn_server::config::KEYS;
    use clap::Args as _;

    use super::*;

    #[test]
    fn every_flag_that_the_reference_names_exists() {
        let command = ServerArgs::augment_args(clap::Command::new("server"));
        for flag in KEYS.iter().filter_map(cairn_server::config::Key::flag) {
            let exists = command.get_arguments().any(|argument| argument.get_long() == flag.strip_prefix("--"));
            assert!(exists, "{flag}");
        }
    }

    #[test]
    fn flags_set_their_keys() {
        let line = "server --data d --disks 3 --s3-addr a:1 --admin-addr a:2 --rpc-addr a:3";
        let command = ServerArgs::augment_args(clap::Command::new("server"));
        let matches = command.try_get_matches_from(line.split(' ')).unwrap();
        let layer = <ServerArgs as clap::FromArgMatches>::from_arg_matches(&matches).unwrap().layer();
        let config = Config::load(None, std::iter::empty(), layer).unwrap().config;
        assert_eq!((config.server.data, config.storage_node.disks.len()), (PathBuf::from("d"), 3));
        assert_eq!(
            (&*config.gateway.s3_addr, &*config.server.admin_addr, &*config.server.rpc_addr),
            ("a:1", "a:2", "a:3")
        );
    }
}
