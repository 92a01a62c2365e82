//! One disk: an append-only log of shards and deletions, cut into volumes, and an index over it.
//!
//! Seven kinds of threads, each with its own queue, so that no disk ever waits for another:
//! - the **log** thread hands out space in order, and writes record headers and whole small shards;
//! - **stream** threads write large shards into the regions reserved for them;
//! - the **sync** thread makes one fdatasync for everything written since the last, then updates the index and answers;
//! - **read** threads read what is not in the page cache;
//! - the **maintenance** thread punches holes, writes checkpoints of the index and removes dead volumes;
//! - the **scrub** thread verifies what is on the disk;
//! - the **compaction** thread copies the live records of sparse volumes to the end of the log.
//!
//! The log is the truth. The index (`index.redb`) is a cache of it up to a stated place; after a start the rest of the
//! log is replayed. Places (volume, offset) order everything that happened to a shard, so replaying twice changes
//! nothing.
//!
//! Floors, from the top: [`DiskStore`]; `opening` over `replay`; the threads in `background`, `read` and `log`; `shared`,
//! which holds the queues; `requests`, what the queues carry; `index`; `disk`, with its errors and its health; `records`,
//! which reads volumes.

mod active_volume;
mod background;
mod disk;
mod disk_store;
mod error;
mod fault;
mod health;
mod index;
pub mod inspect;
mod log;
mod opening;
mod options;
mod primitives;
mod queue;
mod read;
mod records;
mod replay;
mod requests;
mod scrub_state;
mod shared;
mod space;
mod superblock;
mod volume_files;

pub use disk::DiskCondition;
pub use disk_store::{DiskStore, DiskUsage};
pub use error::OpenError;
pub use options::{ExpectedDisk, StoreDependencies, StoreOptions};
pub use records::Damage;
pub use scrub_state::options::ScrubOptions;
pub use superblock::{format, probe};

#[cfg(test)]
mod tests;
