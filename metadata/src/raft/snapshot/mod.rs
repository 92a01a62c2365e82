//! Snapshots: a consistent view of all tables that streams itself in chunks of records, and the file that the receiver
//! loads them into.

mod data;
mod incoming;
mod loader;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use data::SnapshotData;
pub(crate) use incoming::{Incoming, IncomingFile, LoadedState, remove_leftovers};
pub(crate) use loader::{Loader, copy_into};
pub(crate) use stream::{Position, StreamHash, chunk};
