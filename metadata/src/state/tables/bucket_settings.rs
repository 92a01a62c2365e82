//! The documents among the settings of buckets. A new kind needs neither a new table nor a new command.

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::Lifecycle;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::settings::{SettingDocument, SettingKind, read_lifecycle};
use redb::{ReadableTable, Table, TableDefinition};

use crate::error::StoreError;

/// (kind, bucket's name) → (commit that set it, when that was in milliseconds since the Unix epoch, version of its format,
/// bytes). A job that goes by one kind walks over the buckets that have it, and over no others.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("bucket_settings");
pub(crate) type Key = (u8, &'static [u8]);
pub(crate) type Value = (u64, u64, u16, &'static [u8]);

/// A document and the commit that set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) revision: CommitSequence,
    /// The gateway's or the leader's time, whichever is earlier, in milliseconds since the Unix epoch.
    pub(crate) set_ms: u64,
    pub(crate) document: SettingDocument,
}

impl Setting {
    fn read((revision, set_ms, format, bytes): (u64, u64, u16, &[u8])) -> Self {
        let document = SettingDocument { format, bytes: bytes.to_vec() };
        Self { revision: CommitSequence(revision), set_ms, document }
    }
}

pub(crate) fn put(
    table: &mut Table<'_, Key, Value>,
    bucket: &BucketName,
    kind: SettingKind,
    setting: &Setting,
) -> Result<(), StoreError> {
    let Setting { revision, set_ms, document } = setting;
    table.insert((kind.0, key(bucket)), (revision.0, *set_ms, document.format, document.bytes.as_slice()))?;
    Ok(())
}

pub(crate) fn remove(
    table: &mut Table<'_, Key, Value>,
    bucket: &BucketName,
    kind: SettingKind,
) -> Result<(), StoreError> {
    table.remove((kind.0, key(bucket)))?;
    Ok(())
}

pub(crate) fn get(
    table: &impl ReadableTable<Key, Value>,
    bucket: &BucketName,
    kind: SettingKind,
) -> Result<Option<Setting>, StoreError> {
    Ok(table.get((kind.0, key(bucket)))?.map(|row| Setting::read(row.value())))
}

/// The lifecycle rules of the first bucket from the name `from` on that has any.
pub(crate) fn next_lifecycle(
    table: &impl ReadableTable<Key, Value>,
    from: &[u8],
) -> Result<Option<(BucketName, Lifecycle)>, StoreError> {
    let kind = SettingKind::LIFECYCLE.0;
    let Some(entry) = table.range((kind, from)..(kind + 1, [].as_slice()))?.next() else { return Ok(None) };
    let (place, row) = entry?;
    let damaged = |detail: String| StoreError::Damaged { table: "bucket_settings", detail };
    let name = std::str::from_utf8(place.value().1).map_err(|e| damaged(e.to_string()))?;
    let name = BucketName::new(name).map_err(|e| damaged(e.to_string()))?;
    let Setting { revision, set_ms, document } = Setting::read(row.value());
    let rules = read_lifecycle(&document).map_err(|e| damaged(format!("lifecycle rules of {name}: {e}")))?;
    Ok(Some((name, Lifecycle { rules, revision, set_ms })))
}

fn key(bucket: &BucketName) -> &[u8] {
    bucket.as_str().as_bytes()
}
