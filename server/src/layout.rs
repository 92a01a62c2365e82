//! What lies where under the data directory of a process.

use std::path::PathBuf;

use crate::config::Server;

/// The files of the metadata member.
pub(crate) fn metadata_dir(server: &Server) -> PathBuf {
    server.data.join("metadata")
}

/// What the storage node keeps beside its disks.
pub(crate) fn storage_node_dir(server: &Server) -> PathBuf {
    server.data.join("storage-node")
}

/// Where a backup is copied to from the disks before it is restored.
pub(crate) fn restore_spool(server: &Server) -> PathBuf {
    server.data.join("metadata-restore.spool")
}
