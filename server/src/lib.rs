//! Composes the roles into a process: configuration, identity, start, and a stop that loses nothing.
//!
//! All roles in one process call each other through the same traits that the network clients implement, without
//! sockets between them. A process with fewer roles reaches the others over signed RPC. Roles start in any order: each
//! waits for its peers and logs what it waits for.

pub mod admin;
mod banner;
pub mod config;
mod credentials;
mod data_dir;
mod error;
mod layout;
mod listeners;
pub mod offline;
mod process;
mod reload;
mod roles;
mod system;
mod telemetry;

/// Offline inspection of a disk, for the command line.
pub use cairn_storage_node::inspect;
pub use error::ServerError;
pub use process::{EmbeddedServer, run};
pub use system::{System, SystemClock, SystemNetwork, SystemRandom, SystemThreads};
