//! Processes whose wall clocks disagree by decades, and jump, are one cluster all the same (I20).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use cairn_cli::admin::{AdminClient, KeySource, Keys};
use cairn_cli::s3::{Account, Client};
use cairn_core::testing::TestClock;
use cairn_core::unit::ByteSize;
use cairn_protocol::sigv4::Credentials;
use cairn_server::config::{Config, Layer, Role, Secret, partial};
use cairn_server::{EmbeddedServer, System};
use cairn_tests::{Content, Workdir, eventually, free_port, seed};

const NODES: u64 = 6;
const LIMIT: Duration = Duration::from_mins(1);
/// After this time a node that is not heard has its disks called unavailable, and after the next they are rebuilt.
const SILENCE: Duration = Duration::from_secs(2);
const BUCKET: &str = "clocks";
/// A year, in milliseconds.
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// Processes in this one, each with a clock of its own.
struct Cluster {
    workdir: Workdir,
    rpc: String,
    admin: String,
    s3: String,
    credentials: Credentials,
    /// The clock of the process with the gateway and the metadata member, and of the clients.
    head: Arc<TestClock>,
    nodes: Vec<Arc<TestClock>>,
    servers: Vec<EmbeddedServer>,
}

fn address() -> String {
    format!("127.0.0.1:{}", free_port())
}

impl Cluster {
    async fn start() -> Self {
        let (workdir, credentials) = (Workdir::new(), Credentials::new("clock-test", "a secret key of the test"));
        std::fs::write(workdir.join("secret"), "the shared secret of a test cluster\n").unwrap();
        let clock = || Arc::new(TestClock::real());
        let nodes = (0..NODES).map(|_| clock()).collect();
        let (rpc, admin, s3, head) = (address(), address(), address(), clock());
        let mut cluster = Self { workdir, rpc, admin, s3, credentials, head, nodes, servers: Vec::new() };
        cluster.start_head().await;
        for node in 0..NODES {
            cluster.start_node(node).await;
        }
        cluster
    }

    fn layer(&self, name: &str) -> Layer {
        let secret = |text: &str| Some(Some(Secret::new(text)));
        Layer {
            server: partial::Server {
                data: Some(self.workdir.join(name)),
                admin_addr: Some(address()),
                rpc_addr: Some(address()),
                ..partial::Server::default()
            },
            cluster: partial::Cluster {
                secret_file: Some(self.workdir.join("secret")),
                metadata_addrs: Some(vec![self.rpc.clone()]),
            },
            root: partial::Root {
                access_key: secret(&self.credentials.access_key),
                secret_key: secret(self.credentials.secret_key.expose()),
            },
            storage_node: partial::StorageNode {
                name: Some(name.to_owned()),
                disks: Some(vec![self.workdir.join(format!("{name}-disk"))]),
                reserve: Some(ByteSize::from_mib(1)),
                ..partial::StorageNode::default()
            },
            metadata: partial::Metadata { node_silence: Some(SILENCE), ..partial::Metadata::default() },
            repair: partial::Repair { grace: Some(SILENCE), ..partial::Repair::default() },
            ..Layer::default()
        }
    }

    async fn start_head(&mut self) {
        let mut layer = self.layer("head");
        layer.server.roles = Some(vec![Role::Gateway, Role::Metadata]);
        layer.server.rpc_addr = Some(self.rpc.clone());
        layer.server.admin_addr = Some(self.admin.clone());
        layer.gateway.s3_addr = Some(self.s3.clone());
        self.launch(layer, Arc::clone(&self.head)).await;
    }

    async fn start_node(&mut self, node: u64) {
        let mut layer = self.layer(&format!("node{node}"));
        layer.server.roles = Some(vec![Role::StorageNode]);
        let clock = Arc::clone(&self.nodes[node as usize]);
        self.launch(layer, clock).await;
    }

    async fn launch(&mut self, layer: Layer, clock: Arc<TestClock>) {
        let config = Config::load(None, std::iter::empty(), layer).unwrap().config;
        let system = System { clock, ..System::real() };
        self.servers.push(EmbeddedServer::start_on(&config, system).await.unwrap());
    }

    fn admin(&self) -> AdminClient {
        let keys = Keys { credentials: self.credentials.clone(), source: KeySource::Flags };
        AdminClient::new(format!("http://{}", self.admin).parse().unwrap(), keys, self.head.clone())
    }

    fn client(&self) -> Client {
        let endpoint = format!("http://{}", self.s3).parse().unwrap();
        Client::new(Arc::new(Account::new(endpoint, self.credentials.clone(), self.head.clone())))
    }

    /// Waits until a heartbeat of every node is newer than the silence that would cost it its disks.
    async fn assert_all_serve(&self, when: &str) {
        // Long enough for a node that is not heard to be noticed.
        tokio::time::sleep(3 * SILENCE).await;
        eventually(&format!("all disks serve {when}"), LIMIT, async || {
            let status = self.admin().cluster().await.map_err(|e| e.to_string())?;
            let whole = status.disks.active == NODES && status.sessions > 0 && status.repair_entries == 0;
            if whole { Ok(()) } else { Err(format!("{status:?}")) }
        })
        .await;
    }

    /// Writes an object, and reads it and the first one.
    async fn assert_round_trip(&self, key: &str, content: Content) {
        self.client().put(BUCKET, key, content.bytes()).await.unwrap();
        for name in ["before", key] {
            assert_eq!(
                self.client().get(BUCKET, name).await.unwrap().collect().await.unwrap(),
                content.bytes(),
                "{name}"
            );
        }
    }

    /// Every shard is where it was written: nobody was given up, nothing was rebuilt.
    async fn assert_whole(&self, when: &str) {
        let report = self.admin().verify(|_| {}).await.unwrap();
        assert!(report.is_healthy(), "{when}: {report:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_whose_clocks_disagree_by_decades_are_one_cluster() {
    let (cluster, content) = (Cluster::start().await, Content::new(seed(), 3 << 20));
    eventually("the gateway serves", LIMIT, async || {
        cluster.client().create_bucket(BUCKET).await.map_err(|e| e.to_string())
    })
    .await;
    cluster.assert_all_serve("with clocks that agree").await;
    cluster.assert_round_trip("before", content).await;
    for (years, clock) in [0, 1, 29, 57, 58, 100].into_iter().zip(&cluster.nodes) {
        clock.set_wall_ms(years * YEAR_MS);
    }
    cluster.assert_all_serve("after the nodes' clocks jumped").await;
    cluster.assert_round_trip("nodes", content).await;
    cluster.head.set_wall_ms(130 * YEAR_MS);
    cluster.assert_all_serve("after the leader's clock jumped").await;
    cluster.assert_round_trip("leader", content).await;
    cluster.assert_whole("after all jumps").await;
    for server in cluster.servers.into_iter().rev() {
        server.stop().await;
    }
}
