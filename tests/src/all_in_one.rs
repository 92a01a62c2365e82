//! A server with all roles in one process.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use cairn_cli::admin::{AdminClient, DiskEntry, KeySource, Keys};
use cairn_cli::http::Endpoint;
use cairn_cli::s3::{Account, Client};
use cairn_protocol::sigv4::Credentials;
use cairn_server::SystemClock;

use crate::process::health;
use crate::{Injection, Process, Workdir, free_port};

/// Settings that make a test fast. They go into a configuration file; everything else is left at its default.
#[derive(Debug, Clone, Copy)]
pub struct Tuning {
    /// Disk directories.
    pub disks: u32,
    /// Seconds from the deletion of an object to the reclaiming of its space.
    pub reclaim_grace_s: u64,
    /// Seconds between two searches for garbage.
    pub collect_interval_s: u64,
    /// Seconds after which a silent gateway's session ends.
    pub session_lease_s: u64,
    /// Bytes of free space that a disk keeps.
    pub reserve_bytes: u64,
    /// Seconds within which every shard is verified; 0 for never.
    pub scrub_period_s: u64,
    /// Most bytes per second that a scrub reads from a disk.
    pub scrub_bytes_per_s_max: u64,
    /// Seconds after which the shards of a disk that is away are rebuilt.
    pub repair_grace_s: u64,
    /// Seconds without a heartbeat after which a node counts as silent.
    pub node_silence_s: u64,
    /// Seconds between two passes of the lifecycle job.
    pub lifecycle_interval_s: u64,
    /// Length of a day for lifecycle rules, in seconds.
    pub lifecycle_day_s: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Tuning {
    /// The settings of most tests.
    pub const DEFAULT: Self = Self {
        disks: 6,
        reclaim_grace_s: 0,
        collect_interval_s: 1,
        session_lease_s: 5,
        reserve_bytes: 1 << 20,
        scrub_period_s: 30 * 24 * 3600,
        scrub_bytes_per_s_max: 64 << 20,
        repair_grace_s: 600,
        node_silence_s: 5,
        lifecycle_interval_s: 1,
        lifecycle_day_s: 24 * 3600,
    };

    /// The settings as lines of a configuration file.
    pub(crate) fn to_toml(self) -> String {
        let mut text = String::new();
        for (name, value) in [
            ("reclaim_grace_s", self.reclaim_grace_s),
            ("collect_interval_s", self.collect_interval_s),
            ("session_lease_s", self.session_lease_s),
            ("reserve_bytes", self.reserve_bytes),
            ("scrub_period_s", self.scrub_period_s),
            ("scrub_bytes_per_s_max", self.scrub_bytes_per_s_max),
            ("repair_grace_s", self.repair_grace_s),
            ("node_silence_s", self.node_silence_s),
            ("lifecycle_interval_s", self.lifecycle_interval_s),
            ("lifecycle_day_s", self.lifecycle_day_s),
        ] {
            writeln!(text, "{name} = {value}").expect("writing to a string");
        }
        text
    }
}

/// One process with six disks, as a user would start it; its data and ports survive restarts.
#[derive(Debug)]
pub struct AllInOne {
    // Dropped before the directory that it writes to.
    process: Option<Process>,
    tuning: Tuning,
    s3_port: u16,
    admin_port: u16,
    rpc_port: u16,
    starts: u32,
    workdir: Workdir,
}

impl AllInOne {
    /// Starts a server on an empty directory and waits until it is ready.
    pub async fn start() -> Self {
        Self::start_with(Tuning::default()).await
    }

    /// Starts a server with other settings.
    pub async fn start_with(tuning: Tuning) -> Self {
        let mut server = Self::prepare(tuning);
        server.start_again().await;
        server
    }

    /// A server with a directory and ports that is not started yet.
    pub fn prepare(tuning: Tuning) -> Self {
        let (s3_port, admin_port, rpc_port) = (free_port(), free_port(), free_port());
        Self { process: None, tuning, s3_port, admin_port, rpc_port, starts: 0, workdir: Workdir::new() }
    }

    /// Starts a stopped server on the data that it left, and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.spawn();
        self.wait_ready().await;
    }

    /// Waits until a spawned server is ready.
    pub async fn wait_ready(&mut self) {
        let port = self.admin_port;
        self.process().wait_ready(port).await;
    }

    /// Starts a stopped server without waiting.
    pub fn spawn(&mut self) {
        self.spawn_with(None);
    }

    /// Starts a stopped server without waiting, with system calls that fail or are delayed.
    pub fn spawn_injected(&mut self, injection: &Injection) {
        self.spawn_with(Some(injection));
    }

    fn configure(&self) -> PathBuf {
        let config = self.workdir.join("cairn.toml");
        let text = format!("disk_count = {}\n{}", self.tuning.disks, self.tuning.to_toml());
        std::fs::write(&config, text).expect("a configuration file");
        config
    }

    fn spawn_with(&mut self, injection: Option<&Injection>) {
        assert!(self.process.is_none(), "the server is running already");
        self.starts += 1;
        let config = self.configure();
        let log = self.workdir.logs().join(format!("server-{}.log", self.starts));
        let address = |port: u16| format!("127.0.0.1:{port}");
        let arguments = [
            "server",
            "--config",
            path_text(&config),
            "--data",
            path_text(&self.data()),
            "--s3-addr",
            &address(self.s3_port),
            "--admin-addr",
            &address(self.admin_port),
            "--rpc-addr",
            &address(self.rpc_port),
        ]
        .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.process = Some(match injection {
            None => Process::spawn("the server", &arguments, &[], &log),
            Some(injection) => Process::spawn_injected("the server", injection, &arguments, &log),
        });
    }

    /// Whether the server answers that it is ready.
    pub async fn is_ready(&self) -> bool {
        let endpoint: Endpoint = format!("http://127.0.0.1:{}", self.admin_port).parse().expect("an endpoint");
        health(&endpoint).await.is_ok()
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.process.take().expect("a running server").kill();
    }

    /// SIGTERM, and demands a clean exit.
    pub async fn stop(&mut self) {
        self.process.take().expect("a running server").terminate().await;
    }

    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Gives the running server this many disk directories, which must be more than before.
    pub fn reload_with_disks(&mut self, disks: u32) {
        self.tuning.disks = disks;
        self.configure();
        self.process().reload();
    }

    /// `cairn ARGUMENTS…` against the admin API.
    pub fn verb(&self, arguments: &[&str]) -> std::process::Output {
        let keys = self.credentials();
        let endpoint = format!("http://127.0.0.1:{}", self.admin_port);
        let mut command = std::process::Command::new(crate::cairn());
        command.args(arguments).env("CAIRN_ENDPOINT", endpoint);
        command.env("CAIRN_ACCESS_KEY", &keys.access_key).env("CAIRN_SECRET_KEY", keys.secret_key.expose());
        command.output().expect("the cairn binary runs")
    }

    pub fn process(&mut self) -> &mut Process {
        self.process.as_mut().expect("a running server")
    }

    pub fn tuning(&self) -> Tuning {
        self.tuning
    }

    pub fn workdir(&self) -> &Workdir {
        &self.workdir
    }

    /// The server's data directory.
    pub fn data(&self) -> PathBuf {
        self.workdir.join("data")
    }

    /// The directory of disk `number`, from 1.
    pub fn disk(&self, number: u32) -> PathBuf {
        self.data().join(format!("disk{number}"))
    }

    /// The volume files of disk `number`, and those that it may create before its process ends.
    pub fn volume_paths(&self, number: u32) -> Vec<PathBuf> {
        crate::injection::volume_paths(&self.disk(number))
    }

    /// A server with one object in one bucket, and a client of it.
    pub async fn start_with_object(bucket: &str, key: &str, body: &'static [u8]) -> (Self, Client) {
        let server = Self::start().await;
        let mut client = server.client();
        client.create_bucket(bucket).await.expect("a bucket");
        client.put(bucket, key, Bytes::from_static(body)).await.expect("an object");
        (server, client)
    }

    pub fn s3_port(&self) -> u16 {
        self.s3_port
    }

    /// The port of the admin API and of health.
    pub fn admin_port(&self) -> u16 {
        self.admin_port
    }

    pub fn s3_endpoint(&self) -> Endpoint {
        format!("http://127.0.0.1:{}", self.s3_port).parse().expect("an endpoint")
    }

    /// The root keys that the server generated.
    pub fn credentials(&self) -> Credentials {
        read_credentials(&self.data().join("credentials"))
    }

    /// The root user at the S3 endpoint.
    pub fn account(&self) -> Arc<Account> {
        Arc::new(Account::new(self.s3_endpoint(), self.credentials(), Arc::new(SystemClock::new())))
    }

    /// A client of the root user.
    pub fn client(&self) -> Client {
        Client::new(self.account())
    }

    /// A client of the admin API.
    pub fn admin(&self) -> AdminClient {
        admin_client(self.admin_port, self.credentials())
    }

    /// What the admin API says about the disk in directory `number`.
    pub async fn disk_entry(&self, number: u32) -> DiskEntry {
        let path = self.disk(number);
        let disks = self.admin().disks().await.expect("GET /v1/disks");
        let found = disks.iter().find(|disk| Path::new(&disk.path) == path);
        found.unwrap_or_else(|| panic!("no disk at {} in {disks:#?}", path.display())).clone()
    }
}

fn admin_client(port: u16, credentials: Credentials) -> AdminClient {
    admin_client_at(&format!("127.0.0.1:{port}"), credentials)
}

pub(crate) fn admin_client_at(addr: &str, credentials: Credentials) -> AdminClient {
    let endpoint: Endpoint = format!("http://{addr}").parse().expect("an endpoint");
    AdminClient::new(endpoint, Keys { credentials, source: KeySource::Flags }, Arc::new(SystemClock::new()))
}

pub(crate) fn path_text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Reads the file in which a server keeps the keys that it generated.
fn read_credentials(path: &Path) -> Credentials {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap_or_else(|| panic!("no {name} in {}", path.display()));
        line.trim_start_matches([' ', '=']).trim().trim_matches('"').to_owned()
    };
    Credentials::new(value("access_key"), value("secret_key"))
}
