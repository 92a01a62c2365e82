//! Copies of the metadata, made by the member that leads while the cluster runs. A new one is read back before an older
//! one is deleted.

mod backup_source;
mod error;
mod in_directory;
mod in_store;
mod store_object;

pub use cairn_metadata::backup::{BackupError, BackupSummary, verify};
pub use error::StoreBackupError;
pub use in_directory::BackupsInDirectory;
pub use in_store::{BackupsInStore, StoreBackupOptions};
