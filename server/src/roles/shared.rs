//! What every role is handed.

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_protocol::net::Connect;
use cairn_protocol::rpc::{RpcAuth, RpcClient};
use cairn_protocol::storage::StorageDirectory;

use crate::clock::SystemClock;
use crate::random::SystemRandom;
use crate::threads::SystemThreads;

/// What every role is handed: the ambient things of the operating system, and the ways to other processes.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) threads: Arc<dyn Threads>,
    pub(crate) rpc: RpcClient,
    pub(crate) auth: RpcAuth,
    pub(crate) directory: StorageDirectory,
}

impl Shared {
    pub(crate) fn new(cluster_secret: &str, network: Arc<dyn Connect>) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let rpc = RpcClient::new(cluster_secret, Arc::clone(&clock), network);
        Self {
            random: Arc::new(SystemRandom),
            threads: Arc::new(SystemThreads),
            auth: RpcAuth::new(cluster_secret, Arc::clone(&clock)),
            directory: StorageDirectory::new(rpc.clone()),
            rpc,
            clock,
        }
    }
}
