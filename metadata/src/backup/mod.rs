//! Backups of the state, and the ways to begin again when members or all metadata are lost. Each restarts the cluster
//! with numbers that were never used ([`rebase`]).

mod error;
mod format;
mod rebase;
mod reconstruct;
mod recover;
mod restore;
mod summary;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use error::BackupError;
pub use reconstruct::{ReconstructOptions, reconstruct};
pub use recover::{RecoverOptions, recover};
pub use restore::{RestoreOptions, restore};
pub use summary::BackupSummary;
pub use verify::verify;
pub use write::BackupReader;
