//! The lifecycle rules of buckets.

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::lifecycle::{Lifecycle, Rule};
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// Bucket → (commit that set the rules, row). The commit alone is enough for most readers.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("lifecycle");
pub(crate) type Key = u64;
pub(crate) type Value = (u64, &'static [u8]);

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct LifecycleRow {
    /// When the rules were set, in milliseconds since the Unix epoch: the gateway's or the leader's time, whichever
    /// is earlier.
    #[n(0)]
    pub(crate) set_ms: u64,
    #[n(1)]
    pub(crate) rules: Vec<Rule>,
}

impl Row for LifecycleRow {
    const TABLE: &'static str = "lifecycle";
}

/// The commit that set the rules of `bucket`; `None` if it has none.
pub(crate) fn revision(
    table: &impl ReadableTable<Key, Value>,
    bucket: BucketId,
) -> Result<Option<CommitSequence>, StoreError> {
    Ok(table.get(bucket.0)?.map(|row| CommitSequence(row.value().0)))
}

/// The rules of the first bucket from `from` on that has any.
pub(crate) fn next(
    table: &impl ReadableTable<Key, Value>,
    from: BucketId,
) -> Result<Option<(BucketId, Lifecycle)>, StoreError> {
    match table.range(from.0..)?.next().transpose()? {
        Some((bucket, row)) => {
            let (revision, row) = row.value();
            let LifecycleRow { set_ms, rules } = LifecycleRow::read(row)?;
            Ok(Some((BucketId(bucket.value()), Lifecycle { rules, revision: CommitSequence(revision), set_ms })))
        }
        None => Ok(None),
    }
}

/// The rules of `bucket`; `None` if it has none.
pub(crate) fn get(table: &impl ReadableTable<Key, Value>, bucket: BucketId) -> Result<Option<Lifecycle>, StoreError> {
    Ok(next(table, bucket)?.filter(|(found, _)| *found == bucket).map(|(_, lifecycle)| lifecycle))
}

#[cfg(test)]
mod tests {
    use cairn_core::lifecycle::{Expiration, Filter, NoncurrentExpiration, Tag};

    use super::*;

    /// I30: rows on disk stay readable.
    #[test]
    fn rules_keep_their_encoding() {
        let tags = vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
        let filter = Filter { tags, larger_than: Some(1), ..Filter::of_prefix("p") };
        let rule = Rule {
            id: "r".to_owned(),
            enabled: true,
            filter,
            expiration: Some(Expiration::Days(3)),
            noncurrent: Some(NoncurrentExpiration { days: 4, newer_kept: Some(5) }),
            abort_uploads_days: Some(6),
        };
        let row = LifecycleRow { set_ms: 1000, rules: vec![rule] };
        let golden =
            b"\x82\x19\x03\xe8\x81\xa6\x00\x61r\x01\xf5\x02\xa4\x00\x01\x01\x61p\x02\x81\x82\x61k\x61v\x03\x01\
                       \x03\x82\x00\x81\x03\x04\x82\x04\x05\x05\x06";
        assert_eq!(row.to_bytes(), golden);
        assert_eq!(LifecycleRow::read(golden).unwrap(), row);
    }
}
