//! The metadata service: namespace and shard locations, replicated by openraft over redb.
//!
//! A command enters through the [`Handle`], is put together with others into one log entry ([`leader::proposer`]),
//! synced once by the log ([`raft::log_store`]) and applied in one transaction of the state ([`raft::machine`]) by the
//! functions in [`state::commands`]. A query reads a consistent view of the [`state::tables`] on the leader. Time, randomness, the
//! network and the storage nodes are passed in; order comes from the log alone. Beside that the leader runs the
//! background [`jobs`]: leases, disk states and the reclaiming of space. Nothing here reads or writes a shard.

pub mod backup;
mod directory;
mod durable_names;
mod error;
mod integrity;
mod jobs;
mod leader;
pub mod offline;
mod options;
mod raft;
mod service;
mod space;
mod state;
#[cfg(test)]
mod testing;

pub use directory::StartError;
pub use error::StoreError;
pub use options::{LogRetention, Options};
pub use service::{Dependencies, Handle, MetadataService, router};
