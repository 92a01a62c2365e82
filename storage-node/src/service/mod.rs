//! The node: gives its disks identities, brings them into service, reports them to the metadata service, and collects
//! shards that are provably garbage.

mod abandoned;
mod collector;
mod commit_watch;
mod commit_watches;
mod disk_slot;
mod disks;
mod error;
mod handle;
mod node;
mod node_state;
mod options;
mod rebuild;
mod rebuild_fence;
mod router;
mod run;
mod scrub_reporter;
mod slow_disk;
mod start;

pub use disks::NOT_OPENED_YET;
pub use error::StartError;
pub use handle::Handle;
pub use options::{Dependencies, Options};
pub use router::router;
pub use slow_disk::SlowDiskOptions;
pub use start::{StorageNodeService, known_cluster};

#[cfg(test)]
mod tests;
