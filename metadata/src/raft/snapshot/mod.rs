//! Snapshots: a consistent view of all tables that streams itself in chunks of records, the file that the receiver loads them
//! into, and the file that the sender reads them from.

mod data;
mod incoming;
mod loader;
mod side_file;
mod spool;
mod spooled_snapshot;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use data::SnapshotData;
pub(crate) use incoming::{Incoming, LoadedState};
pub(crate) use loader::{Loader, copy_into};
pub(crate) use side_file::{Purpose, SideFile, remove_leftovers};
pub(crate) use spool::{Spool, Spools};
pub(crate) use spooled_snapshot::{LiveState, SpooledSnapshot};
#[cfg(test)]
pub(crate) use stream::{Position, chunk};
pub(crate) use stream::{StreamHash, drain};
