//! Versions of an object: whether a bucket keeps replaced ones, and how clients name them.

use minicbor::{Decode, Encode};

use crate::by_number::by_number;
use crate::id::CommitSequence;

/// Whether a bucket keeps versions that are replaced or deleted. Source: S3 user guide, "Retaining multiple versions of
/// objects with S3 Versioning".
///
/// Rows and messages leave out [`Versioning::Unversioned`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Versioning {
    /// It never did. A key has one version, which the next one replaces.
    #[default]
    Unversioned = 0,
    /// Every write makes a version with its own id, and a delete makes a delete marker.
    Enabled = 1,
    /// Writes and deletes replace the null version of their key; versions with an id stay.
    Suspended = 2,
}

impl Versioning {
    const ALL: [Self; 3] = [Self::Unversioned, Self::Enabled, Self::Suspended];

    /// S3's name; a bucket that was never versioned has none.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Unversioned => None,
            Self::Enabled => Some("Enabled"),
            Self::Suspended => Some("Suspended"),
        }
    }
}

/// What a version is.
///
/// Rows and messages leave out [`VersionKind::Null`], so that the rows of buckets that were never versioned have not
/// changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum VersionKind {
    /// An object that was written while its bucket gave no ids.
    #[default]
    Null = 0,
    /// An object with an id.
    Object = 1,
    /// A delete marker without an id.
    NullMarker = 2,
    /// A delete marker with an id.
    Marker = 3,
}

impl VersionKind {
    const ALL: [Self; 4] = [Self::Null, Self::Object, Self::NullMarker, Self::Marker];

    /// Delete markers have neither bytes nor headers.
    pub const fn is_marker(self) -> bool {
        matches!(self, Self::NullMarker | Self::Marker)
    }

    /// Whether its id is `null`.
    pub const fn is_null(self) -> bool {
        matches!(self, Self::Null | Self::NullMarker)
    }

    /// The id of a version of this kind that `sequence` made.
    pub const fn id(self, sequence: CommitSequence) -> VersionId {
        if self.is_null() { VersionId::Null } else { VersionId::Commit(sequence) }
    }
}

/// The id of a version. A key has at most one null version. What clients see of it is the gateway's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum VersionId {
    /// `null`
    #[n(0)]
    Null,
    /// The commit that made it.
    #[n(1)]
    Commit(#[n(0)] CommitSequence),
}

by_number!(Versioning, "versioning state");
by_number!(VersionKind, "kind of version");

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Encode, Decode)]
    struct Row {
        #[n(0)]
        size: u64,
        #[n(1)]
        kind: VersionKind,
        #[n(2)]
        versioning: Versioning,
    }

    /// I30: numbers never change, and rows from before there were versions read as null versions.
    #[test]
    fn rows_from_before_versions_read_as_null_versions() {
        for (row, golden) in [
            (Row { size: 7, kind: VersionKind::Null, versioning: Versioning::Unversioned }, &b"\x81\x07"[..]),
            (Row { size: 7, kind: VersionKind::Marker, versioning: Versioning::Unversioned }, b"\x82\x07\x03"),
            (Row { size: 7, kind: VersionKind::Null, versioning: Versioning::Suspended }, b"\x83\x07\x00\x02"),
        ] {
            assert_eq!(minicbor::to_vec(&row).unwrap(), golden);
            assert_eq!(minicbor::decode::<Row>(golden).unwrap(), row);
        }
        assert!(minicbor::decode::<Row>(b"\x82\x07\x04").is_err());
        assert!(minicbor::decode::<Row>(b"\x83\x07\x01\x03").is_err());
    }

    #[test]
    fn null_versions_have_no_commit_in_their_id() {
        assert_eq!(VersionKind::NullMarker.id(CommitSequence(3)), VersionId::Null);
        assert_eq!(VersionKind::Object.id(CommitSequence(3)), VersionId::Commit(CommitSequence(3)));
    }
}
