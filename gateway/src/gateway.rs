//! The gateway as a component.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cairn_core::clock::Clock;
use cairn_core::id::{Epoch, NodeId};
use cairn_core::lifecycle::Day;
use cairn_core::random::RandomSource;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::sigv4::{Credentials, SecretKey};
use cairn_protocol::storage::StorageDirectory;
use sha2::{Digest, Sha256};

use crate::auth::{Authenticator, CredentialStore};
use crate::data::{Background, DataPath, DataPathOptions};
use crate::service::expiration::KnownRules;
use crate::{reencode, service};

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its identity: a restart under the same identity ends the sessions before it.
    pub id: NodeId,
    /// The region that signatures name.
    pub region: String,
    /// Suffixes for virtual-host style requests.
    pub domains: Vec<String>,
    /// The root user's keys.
    pub root: Credentials,
    /// Bytes that the bodies of all requests together may hold.
    pub memory_bytes: u64,
    /// The length of the day that lifecycle rules count in: 24 hours but for tests.
    pub lifecycle_day: Duration,
}

/// A running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    inner: Arc<Inner>,
}

struct Inner {
    data: DataPath,
    metadata: Arc<dyn Metadata>,
    authenticator: Authenticator,
    credentials: RootOnly,
    domains: Vec<String>,
    known_rules: KnownRules,
    owner_id: String,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    _background: [Background; 2],
}

/// Knows the root user's keys and no others.
struct RootOnly(Credentials);

impl CredentialStore for RootOnly {
    fn secret_key(&self, access_key: &str) -> Option<SecretKey> {
        (access_key == self.0.access_key).then(|| self.0.secret_key.clone())
    }
}

impl Gateway {
    /// Starts a gateway: it opens its session and fetches the cluster map in the background, and answers 503 to what
    /// needs them until then.
    pub fn start(
        options: Options,
        metadata: Arc<dyn Metadata>,
        nodes: StorageDirectory,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        let data_options = DataPathOptions { gateway: options.id, memory_bytes: options.memory_bytes };
        let data = DataPath::new(Arc::clone(&metadata), nodes, &data_options, Arc::clone(&clock));
        let background = [Background::spawn(data.clone().keep_alive()), Background::spawn(reencode::run(data.clone()))];
        let inner = Inner {
            data,
            metadata,
            authenticator: Authenticator::new(options.region),
            owner_id: hex::encode(Sha256::digest(options.root.access_key.as_bytes())),
            credentials: RootOnly(options.root),
            domains: options.domains,
            known_rules: KnownRules::new(Day::of(options.lifecycle_day)),
            clock,
            random,
            _background: background,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether the gateway has a session and a cluster map, so that reads and writes can succeed.
    pub fn is_ready(&self) -> bool {
        self.inner.data.is_ready()
    }

    /// The version of the cluster map that the gateway goes by; 0 before the first.
    pub fn map_epoch(&self) -> Epoch {
        self.inner.data.view.epoch()
    }

    /// The S3 API as a service for an HTTP server.
    pub fn router(&self) -> Router {
        let gateway = self.clone();
        Router::new().fallback(move |request: axum::extract::Request| {
            let gateway = gateway.clone();
            async move { service::handle(gateway, request).await }
        })
    }

    pub(crate) fn data(&self) -> &DataPath {
        &self.inner.data
    }

    pub(crate) fn metadata(&self) -> &dyn Metadata {
        &*self.inner.metadata
    }

    pub(crate) fn authenticator(&self) -> &Authenticator {
        &self.inner.authenticator
    }

    pub(crate) fn credentials(&self) -> &dyn CredentialStore {
        &self.inner.credentials
    }

    pub(crate) fn domains(&self) -> &[String] {
        &self.inner.domains
    }

    pub(crate) fn known_rules(&self) -> &KnownRules {
        &self.inner.known_rules
    }

    pub(crate) fn region(&self) -> &str {
        self.inner.authenticator.region()
    }

    /// The canonical user id of the one owner there is.
    pub(crate) fn owner_id(&self) -> &str {
        &self.inner.owner_id
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.inner.clock
    }

    /// A new request id.
    pub(crate) fn request_id(&self) -> String {
        hex::encode_upper(&self.inner.random.bytes16()[..8])
    }
}
