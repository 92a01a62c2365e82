//! Why stopped members cannot be read.

use std::io;
use std::path::PathBuf;

use cairn_core::id::ClusterId;

use crate::directory::StartError;
use crate::error::StoreError;

/// Metadata that cannot be audited. Says where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A server runs.
    #[error("{dir} is in use by a running server: stop every service of the cluster before its audit")]
    InUse { dir: PathBuf },
    /// There is no member.
    #[error(
        "{dir} holds no member of a metadata service: name the directory `metadata` in a server's data directory, such \
         as cairn-data/metadata"
    )]
    NoMember { dir: PathBuf },
    /// Nothing to audit.
    #[error("{dir}: its cluster is not formed yet, so there is nothing to audit")]
    NotFormed { dir: PathBuf },
    /// Members of different clusters.
    #[error("{dir} belongs to cluster {theirs} and the others to {ours}: name the members of one cluster")]
    Foreign {
        dir: PathBuf,
        /// Its cluster.
        theirs: ClusterId,
        /// That of the others.
        ours: ClusterId,
    },
    /// The copy that the audit works on cannot be made.
    #[error("cannot copy {path} for the audit: {source}; --scratch names a directory with more room")]
    Copy {
        /// What was being copied.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// See [`StartError`]: the member would not start either.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The tables cannot be read.
    #[error("{0}")]
    Store(#[from] StoreError),
}
