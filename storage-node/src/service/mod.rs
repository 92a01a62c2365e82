//! The node: gives its disks identities, brings them into service, tells the metadata service about them, and collects
//! what is provably garbage.

mod collector;
mod commit_watch;
mod disk_slot;
mod disks;
mod error;
mod gray;
mod handle;
mod node;
mod node_state;
mod options;
mod rebuild;
mod rebuild_fence;
mod router;
mod run;
mod scrub_reporter;

pub use disks::NOT_OPENED_YET;
pub use error::StartError;
pub use gray::GrayOptions;
pub use handle::Handle;
pub use node::{StorageNodeService, known_cluster};
pub use options::{Dependencies, Options};
pub use router::router;

#[cfg(test)]
mod tests;
