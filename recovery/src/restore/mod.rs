//! Makes a metadata member again while no server runs: from a backup, from the one member that is left, or, without
//! either, with an empty namespace. What the disks hold and such a member does not know is found once it runs and is
//! compared with them.

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
