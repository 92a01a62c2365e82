//! The operating system: the only place where time, randomness, threads and sockets enter a process.

mod clock;
mod network;
mod random;
mod real;
mod threads;

pub use clock::SystemClock;
pub use network::SystemNetwork;
pub use random::SystemRandom;
pub use real::System;
pub use threads::SystemThreads;
