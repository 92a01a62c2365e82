//! Six storage nodes, a metadata member and a gateway, each with its own data directory, all in this process.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::NodeId;
use cairn_core::profile::FailureDomain;
use cairn_core::random::RandomSource;
use cairn_core::unit::ByteSize;
use cairn_protocol::sigv4::Credentials;
use cairn_server::SystemClock;
use cairn_server::config::{Config, Layer, Role, Secret, partial};
use cairn_server::{EmbeddedServer, SystemRandom};

use super::DemoError;
use crate::admin::{AdminClient, KeySource, Keys};
use crate::commands::CommandError;
use crate::http::Endpoint;
use crate::s3::{Account, Client};

const NODES: usize = 6;
/// Disks of each.
const DISKS_PER_NODE: usize = 2;
/// Limit for the disks to become active.
const READY_LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);
/// Time until a missing disk is expired: short, because the demo should take two minutes.
const GRACE: Duration = Duration::from_secs(1);
const ACCESS_KEY: &str = "demo";

pub(super) struct DemoCluster {
    directory: PathBuf,
    /// Gateway and metadata first; they are stopped last.
    servers: Vec<EmbeddedServer>,
    s3: Endpoint,
    admin: Endpoint,
    credentials: Credentials,
}

impl DemoCluster {
    /// Starts everything and waits until all disks are active.
    pub(super) async fn start(directory: &Path) -> Result<Self, CommandError> {
        let file = |path: &Path, source| DemoError::File { path: path.to_owned(), source };
        std::fs::create_dir_all(directory).map_err(|e| file(directory, e))?;
        let secret = directory.join("cluster-secret");
        // An identity is random bytes, which also serve as a secret.
        let random = || NodeId::from_random(SystemRandom.bytes16()).to_string();
        std::fs::write(&secret, random()).map_err(|e| file(&secret, e))?;
        let secret_key = random();
        let credentials = Credentials::new(ACCESS_KEY, secret_key.as_str());
        let (s3, admin, rpc) = (free_address()?, free_address()?, free_address()?);
        let common = |name: &str| -> Result<Layer, CommandError> {
            Ok(Layer {
                server: partial::Server {
                    data: Some(directory.join(name)),
                    admin_addr: Some(free_address()?),
                    rpc_addr: Some(free_address()?),
                    ..partial::Server::default()
                },
                cluster: partial::Cluster {
                    secret_file: Some(secret.clone()),
                    metadata_addrs: Some(vec![rpc.clone()]),
                },
                root: partial::Root {
                    access_key: Some(Some(Secret::new(ACCESS_KEY))),
                    secret_key: Some(Some(Secret::new(secret_key.as_str()))),
                },
                storage_node: partial::StorageNode {
                    name: Some(name.to_owned()),
                    reserve: Some(ByteSize::from_mib(1)),
                    ..partial::StorageNode::default()
                },
                ..Layer::default()
            })
        };
        let head = head(common("head")?, &s3, &admin, &rpc);
        let mut servers = vec![start(head).await?];
        for number in 1..=NODES {
            let name = format!("node{number}");
            let disks = (1..=DISKS_PER_NODE).map(|n| disk(directory, number, n)).collect();
            let mut node = common(&name)?;
            node.server.roles = Some(vec![Role::StorageNode]);
            node.storage_node.disks = Some(disks);
            servers.push(start(node).await?);
        }
        let endpoint = |address: &str| format!("http://{address}").parse().map_err(|_| DemoError::NotReady);
        let (s3, admin) = (endpoint(&s3)?, endpoint(&admin)?);
        let cluster = Self { directory: directory.to_owned(), servers, s3, admin, credentials };
        cluster.wait_until_active().await?;
        Ok(cluster)
    }

    async fn wait_until_active(&self) -> Result<(), CommandError> {
        let active = async {
            let wanted = (NODES * DISKS_PER_NODE) as u64;
            let mut admin = self.admin();
            while !admin.cluster().await.is_ok_and(|status| status.disks.active == wanted && status.sessions > 0) {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::time::timeout(READY_LIMIT, active).await.map_err(|_| DemoError::NotReady)?;
        Ok(())
    }

    pub(super) fn s3(&self) -> &Endpoint {
        &self.s3
    }

    pub(super) fn admin_endpoint(&self) -> &Endpoint {
        &self.admin
    }

    pub(super) fn admin(&self) -> AdminClient {
        let keys = Keys { credentials: self.credentials.clone(), source: KeySource::Flags };
        AdminClient::new(self.admin.clone(), keys, Arc::new(SystemClock::new()))
    }

    pub(super) fn client(&self) -> Client {
        let clock = Arc::new(SystemClock::new());
        Client::new(Arc::new(Account::new(self.s3.clone(), self.credentials.clone(), clock)))
    }

    /// Removes the directory of a node's first disk.
    pub(super) fn destroy_disk(&self, node: usize) -> Result<PathBuf, DemoError> {
        let path = disk(&self.directory, node, 1);
        std::fs::remove_dir_all(&path).map_err(|source| DemoError::File { path: path.clone(), source })?;
        Ok(path)
    }

    /// Stops the nodes, then gateway and metadata.
    pub(super) async fn stop(mut self) {
        while let Some(server) = self.servers.pop() {
            server.stop().await;
        }
    }
}

/// Gateway and metadata member in one process.
fn head(mut layer: Layer, s3: &str, admin: &str, rpc: &str) -> Layer {
    layer.server.roles = Some(vec![Role::Gateway, Role::Metadata]);
    layer.server.admin_addr = Some(admin.to_owned());
    layer.server.rpc_addr = Some(rpc.to_owned());
    layer.gateway.s3_addr = Some(s3.to_owned());
    layer.metadata.failure_domain = Some(FailureDomain::Node);
    layer.repair.grace = Some(GRACE);
    layer
}

fn disk(directory: &Path, node: usize, number: usize) -> PathBuf {
    directory.join(format!("node{node}-disk{number}"))
}

async fn start(layer: Layer) -> Result<EmbeddedServer, CommandError> {
    let config = Config::load(None, std::iter::empty(), layer)?.config;
    Ok(EmbeddedServer::start(&config).await?)
}

/// A free address on the loopback interface.
#[expect(clippy::disallowed_methods, reason = "asks the system for a free port; nothing is served here")]
fn free_address() -> Result<String, CommandError> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(address.map_err(CommandError::Runtime)?.to_string())
}
