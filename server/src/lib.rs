//! Composes the roles into a process: configuration, identity, start, and an end that loses nothing.
//!
//! All roles in one process call each other through the same traits that the network clients implement, without
//! sockets between them. A process with fewer roles reaches the others over signed RPC. Roles start in any order: each
//! waits for its peers and says what it waits for.

pub mod admin;
mod banner;
mod clock;
pub mod config;
mod credentials;
mod data_dir;
mod error;
mod layout;
mod listeners;
mod network;
pub mod offline;
mod process;
mod random;
mod reload;
mod roles;
mod telemetry;
mod threads;

/// Looking at a disk offline, for the command line.
pub use cairn_storage_node::inspect;
pub use clock::SystemClock;
pub use error::ServerError;
pub use network::SystemNetwork;
pub use process::{EmbeddedServer, run};
pub use random::SystemRandom;
pub use threads::SystemThreads;
