//! One process of a cluster.

use std::path::PathBuf;
use std::process::Command;

use cairn_protocol::sigv4::Credentials;

use crate::all_in_one::path_text;
use crate::network::Network;
use crate::{Injection, Process, Tuning, Workdir, free_port};

/// Root keys, given to every process in its environment.
pub(super) const ACCESS_KEY: &str = "cairn-test-root";
pub(super) const SECRET_KEY: &str = "not a secret: tests only, on the loopback interface";

/// One process. Its configuration and data survive restarts.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) process: Option<Process>,
    pub(super) s3_port: u16,
    pub(super) admin_port: u16,
    pub(super) rpc_port: u16,
    /// Address of the host. `None` for the namespace means this machine.
    pub(super) host: String,
    namespace: Option<String>,
    /// What it runs.
    pub(super) program: PathBuf,
    starts: u32,
}

pub(super) async fn terminate(members: impl Iterator<Item = &mut Member>) {
    for member in members {
        if let Some(mut process) = member.process.take() {
            process.terminate().await;
        }
    }
}

pub(super) fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY)
}

impl Member {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            process: None,
            s3_port: free_port(),
            admin_port: free_port(),
            rpc_port: free_port(),
            host: "127.0.0.1".to_owned(),
            namespace: None,
            program: crate::cairn(),
            starts: 0,
        }
    }

    pub(super) fn on(name: String, host: Option<(&Network, u8)>) -> Self {
        let (address, namespace) = match host {
            Some((network, host)) => (network.address(host), Some(network.namespace(host))),
            None => ("127.0.0.1".to_owned(), None),
        };
        Self { host: address, namespace, ..Self::new(name) }
    }

    pub(super) fn rpc_addr(&self) -> String {
        format!("{}:{}", self.host, self.rpc_port)
    }

    pub(super) fn admin_addr(&self) -> String {
        format!("{}:{}", self.host, self.admin_port)
    }
}

/// What the configuration of one process says beyond that of every other.
#[derive(Debug, Default)]
pub(super) struct Own {
    /// Lines of `[metadata]`.
    pub(super) metadata: String,
    /// Lines of `[storage_node]`.
    pub(super) storage_node: String,
}

/// A configuration in sections; the tuning stands above them, under the flat names that are still read.
pub(super) fn configuration(
    member: &Member,
    role: &str,
    workdir: &Workdir,
    tuning: Tuning,
    metadata_addrs: &str,
    own: &Own,
) -> String {
    let Member { name, host, s3_port, admin_port, rpc_port, .. } = member;
    let path = |name: &str| format!("{:?}", path_text(&workdir.join(name)));
    format!(
        "{tuning}
[server]
roles = [{role:?}]
data = {data}
admin_addr = \"{host}:{admin_port}\"
rpc_addr = \"{host}:{rpc_port}\"

[cluster]
secret_file = {secret}
metadata_addrs = [{metadata_addrs}]

[gateway]
s3_addr = \"{host}:{s3_port}\"

[metadata]
failure_domain = \"node\"
{metadata}
[storage_node]
name = {name:?}
{storage_node}",
        tuning = tuning.to_toml(),
        data = path(name),
        secret = path("secret"),
        metadata = own.metadata,
        storage_node = own.storage_node,
    )
}

pub(super) fn spawn(member: &mut Member, workdir: &Workdir) {
    let command = Command::new(&member.program);
    spawn_as(member, command, workdir);
}

/// With system calls that fail or are delayed.
pub(super) fn spawn_injected(member: &mut Member, injection: &Injection, workdir: &Workdir) {
    let command = injection.command(&member.program);
    spawn_as(member, command, workdir);
}

fn spawn_as(member: &mut Member, command: Command, workdir: &Workdir) {
    assert!(member.process.is_none(), "{} is running already", member.name);
    member.starts += 1;
    let config = workdir.join(format!("{}.toml", member.name));
    let log = workdir.logs().join(format!("{}-{}.log", member.name, member.starts));
    let keys = [("CAIRN_ROOT_ACCESS_KEY", ACCESS_KEY), ("CAIRN_ROOT_SECRET_KEY", SECRET_KEY)];
    let arguments = ["server", "--config", path_text(&config)];
    let namespace = member.namespace.as_deref();
    member.process = Some(Process::spawn_in(namespace, command, &member.name, &arguments, &keys, &log));
}

pub(super) async fn ready(member: &mut Member) {
    let addr = member.admin_addr();
    member.process.as_mut().expect("a running member").wait_ready_at(&addr).await;
}
