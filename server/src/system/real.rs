//! What a process is handed from outside, in one piece.

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;
use cairn_protocol::net::{Connect, Listen};

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
