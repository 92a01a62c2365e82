//! `cairn server`

use std::path::PathBuf;

use cairn_server::config::{Config, Layer};
use clap::Args;

use super::CommandError;
use super::output::print;

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
}

impl ServerArgs {
    /// The settings given as flags.
    fn layer(&self) -> Layer {
        Layer {
            data: self.data.clone(),
            disk_count: self.disks,
            disks: Some(self.disk.clone()).filter(|disks| !disks.is_empty()),
            s3_addr: self.s3_addr.clone(),
            admin_addr: self.admin_addr.clone(),
            rpc_addr: self.rpc_addr.clone(),
            ..Layer::default()
        }
    }
}

/// Runs the server until it is told to stop.
pub(super) fn run(args: ServerArgs) -> Result<(), CommandError> {
    let print_config = args.print_config;
    let load = move || Config::load(args.config.as_deref(), std::env::vars(), args.layer());
    let config = load()?;
    if print_config {
        return print(toml::to_string(&config)?.trim_end());
    }
    Ok(cairn_server::run(&config, load)?)
}
