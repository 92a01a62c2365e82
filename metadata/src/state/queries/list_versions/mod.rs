//! See [`ListVersions`].

use std::ops::Bound;

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::version::VersionId;
use cairn_protocol::metadata::content::ListedVersion;
use cairn_protocol::metadata::query::{ListVersions, VersionPage, VersionPosition};

use super::list_objects::{listed, text};
use super::rollup::common_prefix;
use crate::error::{Refused, StoreError};
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{AllVersions, noncurrent};
use crate::state::tables::{Row, View, buckets, successor};

/// A version's place: its key, and the commit that created it. Commit 0 is after all versions of the key.
type Place = (Vec<u8>, CommitSequence);

/// Where a scan continues.
enum Seek {
    Key(Vec<u8>),
    After(Place),
}

impl Seek {
    fn key(&self) -> &[u8] {
        match self {
            Self::Key(key) | Self::After((key, _)) => key,
        }
    }
}

pub(super) fn list_versions(view: &View, query: &ListVersions) -> Result<VersionPage, Refused> {
    let record = buckets::get(&view.buckets()?, &query.bucket)?;
    let (bucket, revision) = (record.id, record.revision);
    let page = VersionPage { versions: Vec::new(), common_prefixes: Vec::new(), next: None, revision };
    if query.limit == 0 {
        return Ok(page);
    }
    let mut seek = start(view, bucket, query)?;
    let mut listing = Listing { view, bucket, query, page, last: None };
    // Each round reads one run of neighbouring keys. It ends at a common prefix, whose subtree the next round skips.
    while let Some(from) = seek {
        seek = listing.scan(from)?;
    }
    Ok(listing.page)
}

/// Where the scan begins; `None` if no key can match.
fn start(view: &View, bucket: BucketId, query: &ListVersions) -> Result<Option<Seek>, StoreError> {
    let prefix = query.prefix.as_bytes();
    let seek = match &query.position {
        VersionPosition::Start => Seek::Key(prefix.to_vec()),
        VersionPosition::After(key) => Seek::After((key.as_bytes().to_vec(), CommitSequence(0))),
        VersionPosition::AfterVersion(key, VersionId::Commit(sequence)) => {
            Seek::After((key.as_bytes().to_vec(), *sequence))
        }
        VersionPosition::AfterVersion(key, VersionId::Null) => after_null(view, bucket, key.as_bytes())?,
        VersionPosition::AfterPrefix(common) => match successor(common.as_bytes()) {
            Some(key) => Seek::Key(key),
            None => return Ok(None),
        },
    };
    Ok(Some(if seek.key() >= prefix { seek } else { Seek::Key(prefix.to_vec()) }))
}

fn after_null(view: &View, bucket: BucketId, key: &[u8]) -> Result<Seek, StoreError> {
    let (current, others, nulls) = (view.versions()?, view.noncurrent()?, view.null_versions()?);
    let found = noncurrent::find(&current, &others, &nulls, bucket, key, VersionId::Null)?;
    Ok(found.map_or_else(|| Seek::Key(key.to_vec()), |found| Seek::After((key.to_vec(), found.sequence))))
}

struct Listing<'a> {
    view: &'a View,
    bucket: BucketId,
    query: &'a ListVersions,
    page: VersionPage,
    /// The last version listed, on this page or an earlier one.
    last: Option<Place>,
}

impl Listing<'_> {
    /// Reads versions into the page until it is full, the prefix ends, or a common prefix must be skipped.
    fn scan(&mut self, from: Seek) -> Result<Option<Seek>, StoreError> {
        let (bucket, prefix) = (self.bucket.0, self.query.prefix.as_bytes());
        let lower = match &from {
            Seek::Key(key) => Bound::Included((bucket, key.as_slice(), 0)),
            Seek::After((key, sequence)) => Bound::Excluded((bucket, key.as_slice(), !sequence.0)),
        };
        let upper = Bound::Excluded((bucket + 1, [].as_slice(), 0));
        let rows = AllVersions::range(self.view, (lower, upper))?;
        if let Seek::After(place) = from {
            self.last = Some(place);
        }
        for entry in rows {
            let (place, row) = entry?;
            let (_, key, item) = place.value();
            if !key.starts_with(prefix) {
                return Ok(None);
            }
            if self.page.versions.len() + self.page.common_prefixes.len() >= self.query.limit as usize {
                self.page.next = Some(self.position()?);
                return Ok(None);
            }
            if let Some(common) = common_prefix(key, prefix, &self.query.delimiter) {
                self.page.common_prefixes.push(text(common)?);
                return Ok(successor(common).map(Seek::Key));
            }
            self.push(key, CommitSequence(!item), VersionRow::read(row.value())?)?;
        }
        Ok(None)
    }

    fn push(&mut self, key: &[u8], sequence: CommitSequence, row: VersionRow) -> Result<(), StoreError> {
        let (id, is_marker) = (row.kind.id(sequence), row.kind.is_marker());
        let is_latest = self.last.as_ref().is_none_or(|(last, _)| last != key);
        self.page.versions.push(ListedVersion { object: listed(key, row)?, id, is_latest, is_marker });
        self.last = Some((key.to_vec(), sequence));
        Ok(())
    }

    /// Where the page after a full one begins: after the later of its last version and its last common prefix.
    fn position(&self) -> Result<VersionPosition, StoreError> {
        Ok(match (&self.last, self.page.common_prefixes.last()) {
            (Some((key, _)), Some(common)) if key.as_slice() < common.as_bytes() => {
                VersionPosition::AfterPrefix(common.clone())
            }
            (None, Some(common)) => VersionPosition::AfterPrefix(common.clone()),
            (Some((key, sequence)), _) => VersionPosition::AfterVersion(text(key)?, VersionId::Commit(*sequence)),
            (None, None) => VersionPosition::Start,
        })
    }
}

#[cfg(test)]
mod tests;
