//! A cluster of processes on the loopback interface or on hosts of its own: metadata members, storage nodes, gateways.

mod builder;
mod member;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_cli::admin::{AdminClient, MemberRole};
use cairn_cli::http::Endpoint;
use cairn_cli::s3::{Account, Client};
use cairn_server::SystemClock;

use crate::all_in_one::{admin_client_at, path_text};
use crate::injection::volume_paths;
use crate::network::Network;
use crate::process::health;
use crate::{Injection, Process, Tuning, Workdir, eventually};

pub use builder::ClusterBuilder;
use member::{
    ACCESS_KEY, Member, Own, SECRET_KEY, configuration, credentials, ready, spawn, spawn_injected, terminate,
};

/// Storage nodes, unless a test asks for another number.
pub const STORAGE_NODES: usize = 6;
/// Gateways, unless a test asks for another number.
pub const GATEWAYS: usize = 2;

/// The host of storage node `index` in a network. Those of metadata members are numbered from 1.
pub const fn node_host(index: usize) -> u8 {
    index as u8 + 11
}

/// How long the disks may take to become active.
const LIMIT: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct ProcessCluster {
    // Dropped before the directory that they write to.
    metadata: Vec<Member>,
    /// What every metadata member's configuration says: the founders, and the bounds of the log.
    metadata_settings: String,
    nodes: Vec<Member>,
    gateways: Vec<Member>,
    disks_per_node: usize,
    tuning: Tuning,
    workdir: Workdir,
    /// Removed after the processes in it have ended.
    network: Option<Network>,
}

impl ProcessCluster {
    /// By default one metadata member, six storage nodes with a disk each, and two gateways.
    pub fn builder() -> ClusterBuilder {
        ClusterBuilder::default()
    }

    fn configure_node(&self, member: &Member) {
        let disk = |n| format!("{:?}", path_text(&self.workdir.join(format!("{}-disk{n}", member.name))));
        let disks: Vec<String> = (1..=self.disks_per_node).map(disk).collect();
        let storage_node = format!("disks = [{}]\n", disks.join(", "));
        self.configure(member, "storage-node", &Own { storage_node, ..Own::default() });
    }

    fn configure_metadata(&self, member: &Member, number: u64) {
        let metadata = format!("id = {number}\n{}", self.metadata_settings);
        self.configure(member, "metadata", &Own { metadata, ..Own::default() });
    }

    fn configure(&self, member: &Member, role: &str, own: &Own) {
        let addrs: Vec<String> = self.metadata.iter().map(|member| format!("\"{}\"", member.rpc_addr())).collect();
        let text = configuration(member, role, &self.workdir, self.tuning, &addrs.join(", "), own);
        std::fs::write(self.workdir.join(format!("{}.toml", member.name)), text).expect("a configuration file");
    }

    /// Starts another metadata member, with an empty directory and the next number. The member waits to be added.
    /// Returns its number and address.
    pub async fn start_new_metadata(&mut self) -> (u64, String) {
        let number = self.metadata.len() as u64 + 1;
        let mut member = Member::new(format!("metadata{number}"));
        if let Some(network) = &mut self.network {
            network.add_host(number as u8).expect("a host for the member");
            member = Member::on(member.name, Some((network, number as u8)));
        }
        self.configure_metadata(&member, number);
        spawn(&mut member, &self.workdir);
        ready(&mut member).await;
        let addr = member.rpc_addr();
        self.metadata.push(member);
        (number, addr)
    }

    /// Starts another storage node, with empty disks, and waits until they are active.
    pub async fn start_new_node(&mut self) {
        let mut member = Member::new(format!("node{}", self.nodes.len() + 1));
        self.configure_node(&member);
        spawn(&mut member, &self.workdir);
        ready(&mut member).await;
        self.nodes.push(member);
        self.wait_disks_active().await;
    }

    /// Starts metadata member `index` without waiting for it.
    pub fn spawn_metadata(&mut self, index: usize) {
        spawn(&mut self.metadata[index], &self.workdir);
    }

    /// Starts metadata member `index` and waits until its process is up.
    pub async fn start_metadata(&mut self, index: usize) {
        spawn(&mut self.metadata[index], &self.workdir);
        ready(&mut self.metadata[index]).await;
    }

    /// The configuration file of metadata member `index`.
    pub fn metadata_config(&self, index: usize) -> PathBuf {
        self.workdir.join(format!("metadata{}.toml", index + 1))
    }

    /// SIGKILL to metadata member `index`.
    pub fn kill_metadata_member(&mut self, index: usize) {
        self.metadata[index].process.take().expect("a running metadata member").kill();
    }

    /// The process of metadata member `index`, if it runs.
    pub fn metadata_process(&self, index: usize) -> Option<&Process> {
        self.metadata[index].process.as_ref()
    }

    /// `None` if the metadata members run on this machine's loopback interface.
    pub fn network(&self) -> Option<&Network> {
        self.network.as_ref()
    }

    /// The data directory of metadata member `index`.
    pub fn metadata_dir(&self, index: usize) -> PathBuf {
        self.workdir.join(format!("metadata{}", index + 1))
    }

    /// The internal RPC address of metadata member `index`.
    pub fn metadata_addr(&self, index: usize) -> String {
        self.metadata[index].rpc_addr()
    }

    /// Where the storage nodes listen.
    pub fn node_addrs(&self) -> Vec<String> {
        self.nodes.iter().map(|node| format!("{}:{}", node.host, node.rpc_port)).collect()
    }

    /// Metadata members that were ever started.
    pub fn metadata_count(&self) -> usize {
        self.metadata.len()
    }

    /// A client of the admin API of metadata member `index`.
    pub fn metadata_admin(&self, index: usize) -> AdminClient {
        admin_client_at(&self.metadata[index].admin_addr(), credentials())
    }

    /// `cairn ARGUMENTS…` against the admin API of metadata member `index`.
    pub fn verb(&self, index: usize, arguments: &[&str]) -> std::process::Output {
        let mut command = std::process::Command::new(crate::cairn());
        let endpoint = format!("http://{}", self.metadata[index].admin_addr());
        let keys =
            [("CAIRN_ENDPOINT", endpoint.as_str()), ("CAIRN_ACCESS_KEY", ACCESS_KEY), ("CAIRN_SECRET_KEY", SECRET_KEY)];
        command.args(arguments).envs(keys).output().expect("the cairn binary runs")
    }

    /// The index of the leader, according to any running member.
    pub async fn metadata_leader(&self) -> usize {
        eventually("a metadata member leads", LIMIT, async || {
            let mut said = "no member runs".to_owned();
            for index in (0..self.metadata.len()).filter(|index| self.metadata[*index].process.is_some()) {
                match self.metadata_admin(index).metadata_members().await {
                    Ok(members) => {
                        let leader = members.members.iter().find(|member| member.role == MemberRole::Leader);
                        let leader = leader.ok_or("no member leads")?;
                        return Ok(leader.member as usize - 1);
                    }
                    Err(error) => said = error.to_string(),
                }
            }
            Err(said)
        })
        .await
    }

    /// SIGKILL to storage node `index`.
    pub fn kill_node(&mut self, index: usize) {
        self.nodes[index].process.take().expect("a running node").kill();
    }

    /// SIGKILL to gateway `index`.
    pub fn kill_gateway(&mut self, index: usize) {
        self.gateways[index].process.take().expect("a running gateway").kill();
    }

    /// SIGKILL to the first metadata member.
    pub fn kill_metadata(&mut self) {
        self.kill_metadata_member(0);
    }

    /// Starts every process that is not running, and waits until all disks are active.
    pub async fn start_missing(&mut self) {
        // Gateways first, metadata last: roles start in any order.
        let members = self.gateways.iter_mut().chain(&mut self.nodes).chain(&mut self.metadata);
        let mut missing: Vec<&mut Member> = members.filter(|member| member.process.is_none()).collect();
        for member in &mut missing {
            spawn(member, &self.workdir);
        }
        for member in missing {
            ready(member).await;
        }
        self.wait_disks_active().await;
    }

    /// The processes: metadata members, storage nodes, gateways, in this order.
    pub fn process_names(&self) -> Vec<String> {
        let all = self.metadata.iter().chain(&self.nodes).chain(&self.gateways);
        all.map(|member| member.name.clone()).collect()
    }

    /// Stops a process with SIGTERM and starts `program` in its place, with the same data. Does not wait for it.
    pub async fn replace(&mut self, name: &str, program: &Path) {
        let (member, workdir) = self.process(name);
        terminate(std::iter::once(&mut *member)).await;
        program.clone_into(&mut member.program);
        spawn(member, workdir);
    }

    /// As [`ProcessCluster::replace`], with SIGKILL, if the process runs at all.
    pub fn replace_at_once(&mut self, name: &str, program: &Path) {
        let (member, workdir) = self.process(name);
        if let Some(mut process) = member.process.take() {
            process.kill();
        }
        program.clone_into(&mut member.program);
        spawn(member, workdir);
    }

    /// Waits until a process is up.
    pub async fn ready(&mut self, name: &str) {
        ready(self.process(name).0).await;
    }

    /// The log of a process since its last start.
    pub fn log_of(&mut self, name: &str) -> String {
        self.process(name).0.process.as_ref().map(Process::log_text).unwrap_or_default()
    }

    fn process(&mut self, name: &str) -> (&mut Member, &Workdir) {
        let mut all = self.metadata.iter_mut().chain(&mut self.nodes).chain(&mut self.gateways);
        (all.find(|member| member.name == name).expect("a process of the cluster"), &self.workdir)
    }

    /// Stops the gateways with SIGTERM, which ends their sessions, and starts them again.
    pub async fn restart_gateways(&mut self) {
        for gateway in &mut self.gateways {
            gateway.process.take().expect("a running gateway").terminate().await;
            spawn(gateway, &self.workdir);
            ready(gateway).await;
        }
    }

    /// Stops every process with SIGTERM, gateways first, and demands clean exits.
    pub async fn stop(&mut self) {
        terminate(self.gateways.iter_mut().chain(&mut self.nodes).chain(&mut self.metadata)).await;
    }

    /// As `stop`, but stops metadata before the nodes, so that metadata does not take them for lost.
    pub async fn stop_metadata_first(&mut self) {
        terminate(self.gateways.iter_mut().chain(&mut self.metadata).chain(&mut self.nodes)).await;
    }

    /// Starts storage node `index` and waits until its process is up.
    pub async fn start_node(&mut self, index: usize) {
        spawn(&mut self.nodes[index], &self.workdir);
        ready(&mut self.nodes[index]).await;
    }

    /// Stops storage node `index` with SIGTERM and starts it with system calls that fail or are delayed.
    pub async fn restart_node_injected(&mut self, index: usize, injection: &Injection) {
        let node = &mut self.nodes[index];
        terminate(std::iter::once(&mut *node)).await;
        spawn_injected(node, injection, &self.workdir);
        ready(node).await;
    }

    /// The volumes of disk `disk` of storage node `node`, both from 0, and those that it may begin.
    pub fn volume_paths(&self, node: usize, disk: usize) -> Vec<PathBuf> {
        volume_paths(&self.disk_dir(node, disk))
    }

    /// The process of storage node `index`, which must run.
    pub fn node_process(&self, index: usize) -> &Process {
        self.nodes[index].process.as_ref().expect("a running storage node")
    }

    /// The directory of disk `disk` of storage node `node`, both from 0.
    pub fn disk_dir(&self, node: usize, disk: usize) -> PathBuf {
        self.workdir.join(format!("{}-disk{}", self.nodes[node].name, disk + 1))
    }

    pub fn disk_dirs(&self) -> Vec<PathBuf> {
        let of_node = |node| (0..self.disks_per_node).map(move |disk| (node, disk));
        (0..self.nodes.len()).flat_map(of_node).map(|(node, disk)| self.disk_dir(node, disk)).collect()
    }

    /// The numbers in the cluster of the disks of storage node `index`.
    pub async fn disk_numbers(&self, index: usize) -> Vec<u64> {
        let disks = self.admin().disks().await.expect("GET /v1/disks");
        disks.iter().filter(|disk| disk.node == self.nodes[index].name).map(|disk| disk.number).collect()
    }

    pub fn workdir(&self) -> &Workdir {
        &self.workdir
    }

    /// The root user at gateway `index`.
    pub fn account(&self, index: usize) -> Arc<Account> {
        let endpoint = format!("http://127.0.0.1:{}", self.gateways[index].s3_port).parse().expect("an endpoint");
        Arc::new(Account::new(endpoint, credentials(), Arc::new(SystemClock::new())))
    }

    /// The root user at every gateway.
    pub fn accounts(&self) -> Vec<Arc<Account>> {
        (0..self.gateways.len()).map(|index| self.account(index)).collect()
    }

    /// A client of gateway `index`.
    pub fn client(&self, index: usize) -> Client {
        Client::new(self.account(index))
    }

    /// A client of a metadata member's admin API, which works without gateways.
    pub fn admin(&self) -> AdminClient {
        let running = self.metadata.iter().position(|member| member.process.is_some());
        self.metadata_admin(running.unwrap_or(0))
    }

    /// Waits until every gateway uses the newest cluster map, so that it places shards on all disks.
    pub async fn wait_gateways_follow(&self) {
        let newest = self.admin().cluster().await.expect("the state of the cluster").epoch;
        for gateway in &self.gateways {
            let endpoint: Endpoint = format!("http://{}", gateway.admin_addr()).parse().expect("an address");
            eventually(&format!("{} uses map {newest}", gateway.name), LIMIT, async || {
                let health = health(&endpoint).await?;
                if health["map_epoch"].as_u64() >= Some(newest) { Ok(()) } else { Err(health.to_string()) }
            })
            .await;
        }
    }

    pub async fn wait_disks_active(&self) {
        eventually("all disks are active", LIMIT, async || {
            let status = self.admin().cluster().await.map_err(|e| e.to_string())?;
            let all = (self.nodes.len() * self.disks_per_node) as u64;
            if status.disks.active == all { Ok(()) } else { Err(format!("{:?}", status.disks)) }
        })
        .await;
    }
}
