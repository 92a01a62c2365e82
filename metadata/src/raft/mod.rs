//! Raft: openraft over a log and a state machine in redb, and the network between members.

pub(crate) mod admission;
mod apply;
pub(crate) mod attempts;
pub(crate) mod calls;
pub(crate) mod candidacy;
pub(crate) mod codec;
#[cfg(test)]
mod crash;
pub(crate) mod entry;
pub(crate) mod fitness;
pub(crate) mod log_store;
pub(crate) mod log_writer;
pub(crate) mod machine;
pub(crate) mod message;
pub(crate) mod network;
mod pace;
pub(crate) mod pins;
pub(crate) mod proposal;
pub(crate) mod retention;
pub(crate) mod snapshot;
pub(crate) mod snapshot_builder;
mod state_machine;
#[cfg(test)]
mod suite;
pub(crate) mod times;
mod types;

pub(crate) use types::{Entry, LogId, Raft, SnapshotMeta, TypeConfig, Vote};
