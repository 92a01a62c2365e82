//! Makes a metadata member again while no server runs: from a backup, from the one member that is left, or, without
//! either, with an empty namespace. Each begins a new life of the cluster; what the member then does not know and the
//! disks hold is found when the service compares itself with them.

mod error;
mod from_disks;
mod from_file;
mod reconstruct;
mod search;
mod sessions;
mod unavailable;

pub use cairn_metadata::backup::{RecoverOptions, RestoreOptions, recover};
pub use error::RestoreError;
pub use from_disks::restore_from_disks;
pub use from_file::restore_from_file;
pub use reconstruct::reconstruct;
pub use search::{FromDisks, LocalDisks, SearchOptions};
