//! The gateway as a component: composes what the other modules define.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use cairn_core::clock::Clock;
use cairn_core::id::{Epoch, NodeId};
use cairn_core::lifecycle::Day;
use cairn_core::random::RandomSource;
use cairn_protocol::metadata::Metadata;
use cairn_protocol::sigv4::Credentials;
use cairn_protocol::storage::StorageDirectory;
use sha2::{Digest, Sha256};

use crate::auth::{Authenticator, RootOnly};
use crate::context::{Context, ContextOptions};
use crate::data::{Background, DataPath, DataPathOptions};
use crate::http::Front;
use crate::reencode;
use crate::request::host::Hosts;

/// How a gateway is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its identity: a restart under the same identity ends the sessions before it.
    pub id: NodeId,
    /// Its name, for people.
    pub name: String,
    /// The region that signatures name.
    pub region: String,
    /// The domains under which buckets are hosts (`bucket.DOMAIN`).
    pub domains: Vec<String>,
    /// The root user's keys.
    pub root: Credentials,
    /// Bytes that the bodies of all requests together may hold in memory.
    pub memory_bytes: u64,
    /// The length of the day that lifecycle rules count in: 24 hours except in tests.
    pub lifecycle_day: Duration,
}

/// A running gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    front: Arc<Front>,
    _background: Arc<[Background; 2]>,
}

impl Gateway {
    /// Starts a gateway. It opens its session and fetches the cluster map in the background, and until then answers 503
    /// to requests that need them.
    pub fn start(
        options: Options,
        metadata: Arc<dyn Metadata>,
        nodes: StorageDirectory,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
    ) -> Self {
        let data_options =
            DataPathOptions { gateway: options.id, name: options.name, memory_bytes: options.memory_bytes };
        let data = DataPath::new(metadata, nodes, &data_options, clock);
        let background = [Background::spawn(data.clone().keep_alive()), Background::spawn(reencode::run(data.clone()))];
        let context_options = ContextOptions {
            region: options.region.clone(),
            owner_id: hex::encode(Sha256::digest(options.root.access_key.as_bytes())),
            day: Day::of(options.lifecycle_day),
        };
        let front = Front {
            context: Arc::new(Context::new(data, context_options, random)),
            authenticator: Authenticator::new(options.region),
            credentials: RootOnly::new(options.root),
            hosts: Hosts::new(&options.domains),
        };
        Self { front: Arc::new(front), _background: Arc::new(background) }
    }

    /// Whether the gateway has a session and a cluster map, so that reads and writes can succeed.
    pub fn is_ready(&self) -> bool {
        self.front.context.data().is_ready()
    }

    /// The epoch of the cluster map that the gateway uses; 0 before the first.
    pub fn map_epoch(&self) -> Epoch {
        self.front.context.data().view.epoch()
    }

    /// The S3 API as a service for an HTTP server. It keeps the gateway running.
    pub fn router(&self) -> Router {
        let gateway = self.clone();
        Router::new().fallback(move |request: axum::extract::Request| {
            let gateway = gateway.clone();
            async move { crate::http::handle(&gateway.front, request).await }
        })
    }
}
