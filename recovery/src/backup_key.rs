//! The keys of backups in the system bucket.

use cairn_core::id::CommitSequence;
use cairn_core::name::{ObjectKey, ObjectKeyError};

/// What the keys begin with. The commit follows, so that they sort by age.
pub(crate) const PREFIX: &str = "metadata/";

pub(crate) fn of(commit: CommitSequence) -> Result<ObjectKey, ObjectKeyError> {
    ObjectKey::new(&format!("{PREFIX}{:020}", commit.0))
}

pub(crate) fn is_backup(key: &str) -> bool {
    key.starts_with(PREFIX)
}
