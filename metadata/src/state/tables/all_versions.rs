//! Walks the versions of both tables, current and noncurrent, as one sequence.

use std::cmp::Ordering;
use std::iter::Peekable;
use std::ops::RangeBounds;

use redb::{AccessGuard, Range, StorageError};

use super::View;
use super::versions::{Key, Value};
use crate::error::StoreError;

type Rows<'t> = Peekable<Range<'t, Key, Value>>;
/// A row as redb returns it.
pub(crate) type Entry<'t> = (AccessGuard<'t, Key>, AccessGuard<'t, Value>);

/// All versions, current and noncurrent, ordered by key and then newest first.
pub(crate) struct AllVersions<'t> {
    current: Rows<'t>,
    noncurrent: Rows<'t>,
}

impl AllVersions<'static> {
    pub(crate) fn range<'k>(
        view: &View,
        range: impl RangeBounds<(u64, &'k [u8], u64)> + Clone,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            current: view.versions()?.range(range.clone())?.peekable(),
            noncurrent: view.noncurrent()?.range(range)?.peekable(),
        })
    }

    pub(crate) fn all(view: &View) -> Result<Self, StoreError> {
        Self::range(view, ..)
    }
}

impl<'t> Iterator for AllVersions<'t> {
    type Item = Result<Entry<'t>, StorageError>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.current.peek(), self.noncurrent.peek()) {
            (Some(Ok((current, _))), Some(Ok((noncurrent, _)))) => current.value().cmp(&noncurrent.value()),
            // Return an error at once.
            (Some(_), None) | (Some(Err(_)), _) => Ordering::Less,
            (None | Some(Ok(_)), _) => Ordering::Greater,
        };
        if order == Ordering::Greater { self.noncurrent.next() } else { self.current.next() }
    }
}
