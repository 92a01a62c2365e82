//! Failures of the store under the metadata service.

use cairn_core::id::{CommitSequence, GroupId};
use cairn_protocol::metadata::Rejection;

/// Nothing was done, because there is too little room.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the filesystem of {dir} has {free_bytes} bytes free, and the metadata keeps {reserve_bytes} in reserve: make room there \
     or give it more space; it goes on by itself then"
)]
pub struct NoRoom {
    pub(crate) dir: String,
    pub(crate) free_bytes: u64,
    pub(crate) reserve_bytes: u64,
}

/// The store failed; nothing of the transaction that was under way is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database engine failed.
    #[error("{0}")]
    Engine(Box<redb::Error>),
    /// A row cannot be understood.
    #[error("a row of table {table} is damaged: {detail}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong with the row.
        detail: String,
    },
    /// A newer release wrote it.
    #[error("{what} has format version {found}, this release reads up to {known}: install the newer release again")]
    Newer {
        /// What was to be read.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The newest version that is known here.
        known: u32,
    },
    /// It is of a group that this release does not serve.
    #[error("{what} is of group {group} of the metadata service, this release serves group {} only", GroupId::FIRST)]
    OtherGroup {
        /// What was to be read.
        what: &'static str,
        /// Its group.
        group: GroupId,
    },
    /// The cluster uses what this release does not know, or no longer knows.
    #[error("{what}: {refusal}")]
    OtherLevel {
        /// What was to be read.
        what: &'static str,
        /// Which level it has, and which ones this release supports.
        refusal: String,
    },
    /// The log has no more numbers for entries: nothing can be committed any more.
    #[error("log entry {index} of group {group} has no number: all {} are used up", CommitSequence::INDEX_MAX)]
    UsedUp {
        /// The group.
        group: GroupId,
        /// The entry.
        index: u64,
    },
    /// Nobody waits for the copy of the state that was being made.
    #[error("nobody waits for it any more")]
    Unwanted,
    /// Each copy of the state takes room.
    #[error(
        "{max} copies of the state are on their way already, and there are never more: try again when one has arrived"
    )]
    TooManyCopies {
        /// Copies for this purpose at a time.
        max: usize,
    },
    /// There is too little room. Nothing was written.
    #[error("{0}")]
    NoRoom(Box<NoRoom>),
    /// An earlier release wrote it, in a format that is not converted.
    #[error(
        "{what} has format version {found}, this release reads {known} and does not convert it: use the release that \
         wrote it, or start with an empty directory"
    )]
    Older {
        /// What was to be read.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The version that is known here.
        known: u32,
    },
    /// The thread that writes cannot be started.
    #[error("cannot start the thread that writes the log: {0}")]
    Thread(String),
    /// A file beside the database could not be read or written.
    #[error("{path}: {detail}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        detail: String,
    },
}

macro_rules! from_engine {
    ($($error:ident),*) => {$(
        impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> Self {
                Self::Engine(Box::new(error.into()))
            }
        }
    )*};
}

from_engine!(StorageError, TableError, TransactionError, CommitError, DatabaseError, SetDurabilityError);

impl From<NoRoom> for StoreError {
    fn from(error: NoRoom) -> Self {
        Self::NoRoom(Box::new(error))
    }
}

impl StoreError {
    /// A file operation on `path` failed.
    pub(crate) fn file(path: &std::path::Path, error: impl std::fmt::Display) -> Self {
        Self::File { path: path.display().to_string(), detail: error.to_string() }
    }
}

/// How applying a command or answering a query can end other than well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// Refused; nothing was written.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

impl From<redb::StorageError> for Refused {
    fn from(error: redb::StorageError) -> Self {
        Self::Store(error.into())
    }
}

impl From<redb::TableError> for Refused {
    fn from(error: redb::TableError) -> Self {
        Self::Store(error.into())
    }
}
