//! How a cluster of processes is started.

use std::path::PathBuf;

use super::member::{Member, Own};
use super::{GATEWAYS, ProcessCluster, STORAGE_NODES, node_host};
use crate::network::Network;
use crate::{Tuning, Workdir};

/// What a cluster consists of. [`ClusterBuilder::start`] starts it.
#[derive(Debug)]
pub struct ClusterBuilder {
    members: usize,
    nodes: usize,
    gateways: usize,
    disks_per_node: usize,
    tuning: Tuning,
    /// How much of the Raft log members keep; `None` for the default.
    log_kept: Option<&'static str>,
    network: Option<Network>,
    /// `None` for the binary under test.
    program: Option<PathBuf>,
}

impl Default for ClusterBuilder {
    fn default() -> Self {
        Self {
            members: 1,
            nodes: STORAGE_NODES,
            gateways: GATEWAYS,
            disks_per_node: 1,
            tuning: Tuning::default(),
            log_kept: None,
            network: None,
            program: None,
        }
    }
}

impl ClusterBuilder {
    /// Number of founders.
    pub fn members(mut self, members: usize) -> Self {
        self.members = members;
        self
    }

    pub fn nodes(mut self, nodes: usize) -> Self {
        self.nodes = nodes;
        self
    }

    pub fn gateways(mut self, gateways: usize) -> Self {
        self.gateways = gateways;
        self
    }

    pub fn disks_per_node(mut self, disks: usize) -> Self {
        self.disks_per_node = disks;
        self
    }

    /// Settings of every process.
    pub fn tuning(mut self, tuning: Tuning) -> Self {
        self.tuning = tuning;
        self
    }

    /// How much of the Raft log the metadata members keep for others that come back, as in the configuration: `"256KiB"`.
    pub fn log_kept(mut self, size: &'static str) -> Self {
        self.log_kept = Some(size);
        self
    }

    /// Gives metadata member `n` host `n`, counted from 1, and each storage node its host if the network has one (see
    /// [`node_host`]). Without a network every process runs on this machine's loopback interface.
    pub fn network(mut self, network: Option<Network>) -> Self {
        self.network = network;
        self
    }

    /// What every process runs, instead of the binary under test.
    pub fn program(mut self, program: PathBuf) -> Self {
        self.program = Some(program);
        self
    }

    /// Starts every process at once, and waits until all disks are active and every gateway has the newest map.
    pub async fn start(self) -> ProcessCluster {
        let mut cluster = self.prepare();
        cluster.start_missing().await;
        cluster.wait_gateways_follow().await;
        cluster
    }

    /// Writes the configuration of every process and starts none: [`ProcessCluster::start_missing`] does.
    pub fn prepare(self) -> ProcessCluster {
        let workdir = Workdir::new();
        std::fs::write(workdir.join("secret"), "the shared secret of a test cluster\n").expect("a secret file");
        let metadata: Vec<Member> = (1..=self.members).map(|n| self.metadata_member(n)).collect();
        let founders = (1..).zip(&metadata).map(|(n, member)| format!("\"{n}={}\"", member.rpc_addr()));
        let mut metadata_settings = format!("members = [{}]\n", founders.collect::<Vec<_>>().join(", "));
        metadata_settings.extend(self.log_kept.map(|size| format!("log_kept = {size:?}\n")));
        let nodes = (1..=self.nodes).map(|n| self.storage_node(n)).collect();
        let gateways = (1..=self.gateways).map(|n| Member::new(format!("gateway{n}"))).collect();
        let Self { disks_per_node, tuning, network, program, .. } = self;
        let mut cluster =
            ProcessCluster { metadata, metadata_settings, nodes, gateways, disks_per_node, tuning, workdir, network };
        if let Some(program) = program {
            let all = cluster.metadata.iter_mut().chain(&mut cluster.nodes).chain(&mut cluster.gateways);
            all.for_each(|member| member.program.clone_from(&program));
        }
        for member in &cluster.gateways {
            cluster.configure(member, "gateway", &Own::default());
        }
        for member in &cluster.nodes {
            cluster.configure_node(member);
        }
        for (number, member) in (1..).zip(&cluster.metadata) {
            cluster.configure_metadata(member, number);
        }
        cluster
    }

    fn metadata_member(&self, number: usize) -> Member {
        Member::on(format!("metadata{number}"), self.network.as_ref().map(|network| (network, number as u8)))
    }

    fn storage_node(&self, number: usize) -> Member {
        let host = node_host(number - 1);
        let network = self.network.as_ref().filter(|network| network.has_host(host));
        Member::on(format!("node{number}"), network.map(|network| (network, host)))
    }
}
