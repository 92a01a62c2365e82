//! A cluster of processes on the loopback interface: one metadata member, six storage nodes with a disk each, and two
//! gateways.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use cairn_cli::admin::AdminClient;
use cairn_cli::clock::SystemClock;
use cairn_cli::s3::{Account, Client};
use cairn_protocol::sigv4::Credentials;

use crate::all_in_one::{admin_client, path_text};
use crate::{Process, Tuning, Workdir, eventually, free_port};

/// Storage nodes in the cluster.
pub const STORAGE_NODES: usize = 6;
/// Gateways in the cluster.
pub const GATEWAYS: usize = 2;

/// Root keys, given to every process in its environment.
const ACCESS_KEY: &str = "cairn-test-root";
const SECRET_KEY: &str = "not a secret: tests only, on the loopback interface";
/// How long the disks may take to become active.
const LIMIT: Duration = Duration::from_mins(1);

/// One member of the cluster. Its configuration and data survive restarts.
#[derive(Debug)]
struct Member {
    name: String,
    process: Option<Process>,
    s3_port: u16,
    admin_port: u16,
    starts: u32,
}

/// The cluster.
#[derive(Debug)]
pub struct ProcessCluster {
    // Dropped before the directory that they write to.
    metadata: Member,
    nodes: Vec<Member>,
    gateways: Vec<Member>,
    disks_per_node: usize,
    workdir: Workdir,
}

impl ProcessCluster {
    /// Starts every process at once, in no order, and waits until all disks are active.
    pub async fn start() -> Self {
        Self::start_with(1, Tuning::default()).await
    }

    /// The same with so many disks on each node, and other settings.
    pub async fn start_with(disks_per_node: usize, tuning: Tuning) -> Self {
        let workdir = Workdir::new();
        std::fs::write(workdir.join("secret"), "the shared secret of a test cluster\n").expect("a secret file");
        let metadata_rpc = free_port();
        let configure = |name: String, role: &str, rpc_port: u16, more: &str| {
            let member = Member { process: None, s3_port: free_port(), admin_port: free_port(), starts: 0, name };
            let text = configuration(&member, role, rpc_port, metadata_rpc, &workdir, tuning) + more;
            std::fs::write(workdir.join(format!("{}.toml", member.name)), text).expect("a configuration file");
            member
        };
        let disks = |name: &str| {
            let disk = |n| format!("{:?}", path_text(&workdir.join(format!("{name}-disk{n}"))));
            let disks: Vec<String> = (1..=disks_per_node).map(disk).collect();
            format!("disks = [{}]\n", disks.join(", "))
        };
        let gateways = (1..=GATEWAYS).map(|n| configure(format!("gateway{n}"), "gateway", free_port(), "")).collect();
        let nodes = (1..=STORAGE_NODES)
            .map(|n| configure(format!("node{n}"), "storage-node", free_port(), &disks(&format!("node{n}"))))
            .collect();
        let metadata = configure("metadata1".to_owned(), "metadata", metadata_rpc, "");
        let mut cluster = Self { metadata, nodes, gateways, disks_per_node, workdir };
        // Gateways first, metadata last: roles start in any order.
        for gateway in 0..GATEWAYS {
            spawn(&mut cluster.gateways[gateway], &cluster.workdir);
        }
        for node in 0..STORAGE_NODES {
            spawn(&mut cluster.nodes[node], &cluster.workdir);
        }
        spawn(&mut cluster.metadata, &cluster.workdir);
        for member in cluster.gateways.iter_mut().chain(&mut cluster.nodes).chain([&mut cluster.metadata]) {
            ready(member).await;
        }
        cluster.wait_disks_active().await;
        cluster
    }

    /// SIGKILL to storage node `index`.
    pub fn kill_node(&mut self, index: usize) {
        self.nodes[index].process.take().expect("a running node").kill();
    }

    /// SIGKILL to gateway `index`.
    pub fn kill_gateway(&mut self, index: usize) {
        self.gateways[index].process.take().expect("a running gateway").kill();
    }

    /// SIGKILL to the metadata member.
    pub fn kill_metadata(&mut self) {
        self.metadata.process.take().expect("a running metadata member").kill();
    }

    /// Starts the metadata member again.
    pub async fn start_metadata(&mut self) {
        spawn(&mut self.metadata, &self.workdir);
        ready(&mut self.metadata).await;
    }

    /// Starts whatever is not running, and waits until all disks are active.
    pub async fn start_missing(&mut self) {
        for member in self.gateways.iter_mut().chain(&mut self.nodes).chain([&mut self.metadata]) {
            if member.process.is_none() {
                spawn(member, &self.workdir);
                ready(member).await;
            }
        }
        self.wait_disks_active().await;
    }

    /// Stops the gateways with SIGTERM, which ends their sessions, and starts them again.
    pub async fn restart_gateways(&mut self) {
        for gateway in &mut self.gateways {
            gateway.process.take().expect("a running gateway").terminate().await;
            spawn(gateway, &self.workdir);
            ready(gateway).await;
        }
    }

    /// SIGTERM to everything: clients first, and clean exits demanded.
    pub async fn stop(&mut self) {
        for member in self.gateways.iter_mut().chain(&mut self.nodes).chain([&mut self.metadata]) {
            if let Some(mut process) = member.process.take() {
                process.terminate().await;
            }
        }
    }

    /// The root user at gateway `index`.
    pub fn account(&self, index: usize) -> Arc<Account> {
        let endpoint = format!("http://127.0.0.1:{}", self.gateways[index].s3_port).parse().expect("an endpoint");
        Arc::new(Account::new(endpoint, credentials(), Arc::new(SystemClock::new())))
    }

    /// The root user at every gateway.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        (0..GATEWAYS).map(|index| self.account(index)).collect()
    }

    /// A client of gateway `index`.
    pub fn client(&self, index: usize) -> Client {
        Client::new(self.account(index))
    }

    /// A client of the metadata member's admin API, which outlives gateways.
    pub fn admin(&self) -> AdminClient {
        admin_client(self.metadata.admin_port, credentials())
    }

    async fn wait_disks_active(&self) {
        eventually("all disks are active", LIMIT, async || {
            let status = self.admin().cluster().await.map_err(|e| e.to_string())?;
            let all = (STORAGE_NODES * self.disks_per_node) as u64;
            if status.disks.active == all { Ok(()) } else { Err(format!("{:?}", status.disks)) }
        })
        .await;
    }
}

fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET_KEY)
}

fn configuration(
    member: &Member,
    role: &str,
    rpc_port: u16,
    metadata_rpc: u16,
    workdir: &Workdir,
    tuning: Tuning,
) -> String {
    let name = &member.name;
    let mut text = format!("roles = [{role:?}]\nnode_name = {name:?}\nfailure_domain = \"node\"\n");
    for (key, path) in [("data", workdir.join(name)), ("cluster_secret_file", workdir.join("secret"))] {
        writeln!(text, "{key} = {:?}", path_text(&path)).expect("writing to a string");
    }
    for (key, port) in [("s3_addr", member.s3_port), ("admin_addr", member.admin_port), ("rpc_addr", rpc_port)] {
        writeln!(text, "{key} = \"127.0.0.1:{port}\"").expect("writing to a string");
    }
    writeln!(text, "metadata_addrs = [\"127.0.0.1:{metadata_rpc}\"]").expect("writing to a string");
    text + &tuning.to_toml()
}

fn spawn(member: &mut Member, workdir: &Workdir) {
    assert!(member.process.is_none(), "{} is running already", member.name);
    member.starts += 1;
    let config = workdir.join(format!("{}.toml", member.name));
    let log = workdir.logs().join(format!("{}-{}.log", member.name, member.starts));
    let keys = [("CAIRN_ROOT_ACCESS_KEY", ACCESS_KEY), ("CAIRN_ROOT_SECRET_KEY", SECRET_KEY)];
    member.process = Some(Process::spawn(&member.name, &["server", "--config", path_text(&config)], &keys, &log));
}

async fn ready(member: &mut Member) {
    let port = member.admin_port;
    member.process.as_mut().expect("a running member").wait_ready(port).await;
}
