//! What a process is handed from outside, in one piece.

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_protocol::net::{Connect, Listen};
use cairn_protocol::rpc::{Identity, RpcClient};

use super::clock::SystemClock;
use super::network::SystemNetwork;
use super::random::SystemRandom;
use super::threads::SystemThreads;

/// Time, randomness, threads and sockets. A test may hand a process others.
#[derive(Clone)]
pub struct System {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    pub threads: Arc<dyn Threads>,
    pub connect: Arc<dyn Connect>,
    pub listen: Arc<dyn Listen>,
}

impl System {
    /// A client for calls to other processes as `identity`.
    pub(crate) fn rpc_client(&self, identity: &Identity) -> RpcClient {
        let (clock, random) = (Arc::clone(&self.clock), Arc::clone(&self.random));
        RpcClient::new(identity, clock, random, Arc::clone(&self.connect))
    }

    /// The operating system's own.
    pub fn real() -> Self {
        let network = Arc::new(SystemNetwork::new());
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            threads: Arc::new(SystemThreads),
            connect: network.clone(),
            listen: network,
        }
    }
}
