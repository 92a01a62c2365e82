//! One disk: an append-only log of shards and deletions, cut into volumes, and an index over it.
//!
//! Six kinds of threads, each with its own queue, so that no disk ever waits for another:
//! - the **log** thread hands out space in order, writes record headers and whole small shards;
//! - **stream** threads write large shards into the regions reserved for them;
//! - the **sync** thread makes one fdatasync for everything written since the last, then updates the index and answers;
//! - **read** threads read what is not in the page cache;
//! - the **upkeep** thread punches holes, writes checkpoints of the index and removes dead volumes;
//! - the **scrub** thread verifies what lies on the disk;
//! - the **compaction** thread copies what lives in sparse volumes to the end of the log.
//!
//! The log is the truth. The index (`index.redb`) is a cache of it up to a stated place; at the start the rest of the
//! log is replayed. Places (volume, offset) order everything that happened to a shard, so replaying twice changes
//! nothing.

mod base;
mod compact;
mod dead_ranges;
mod disk_store;
mod entry;
mod error;
mod fault;
mod flux;
mod index_file;
pub mod inspect;
mod log;
mod maintenance;
mod options;
mod queue;
mod reader;
mod recovery;
mod scan;
mod scrub;
mod shared;
mod state;
mod stream;
mod sync;
mod tail;
mod verify;
mod volume_files;
mod volumes;
mod vouched;

/// What the threads of a disk share things through. A test puts others in their place, to try the orders in which
/// threads may run.
mod primitives {
    pub(super) use std::sync::{Condvar, Mutex, MutexGuard};
}

pub use disk_store::{DiskStore, DiskUsage};
pub use error::OpenError;
pub use options::{ExpectedDisk, StoreDependencies, StoreOptions};
pub use recovery::{format, probe};
pub use scrub::options::ScrubOptions;
pub use verify::Damage;

#[cfg(test)]
mod tests;
