//! Copies of the metadata, made by the member that leads while the cluster runs, and read back before an older one goes.

mod in_directory;
mod in_store;

pub use cairn_metadata::backup::{BackupError, BackupSummary, verify};
pub use in_directory::BackupsInDirectory;
pub use in_store::{BackupsInStore, StoreBackupError};
