//! Parts of multipart uploads, in progress and completed: a completed object keeps its parts here under its upload's
//! id.

use cairn_core::etag::ETag;
use cairn_core::id::{PartNumber, UploadId};
use cairn_core::limits::PART_NUMBER_MAX;
use cairn_protocol::metadata::{ExtentRun, StoredChecksum};
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// (upload, part number) → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("parts");
pub(crate) type Key = (u64, u32);
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct PartRow {
    /// `None` for an empty part.
    #[n(0)]
    pub(crate) run: Option<ExtentRun>,
    #[n(1)]
    pub(crate) etag: ETag,
    #[n(2)]
    pub(crate) last_modified_ms: u64,
    #[n(3)]
    pub(crate) checksum: Option<StoredChecksum>,
    /// Offset of the part's first byte in the object; known once the upload is completed.
    #[n(4)]
    pub(crate) offset: u64,
}

impl Row for PartRow {
    const TABLE: &'static str = "parts";
}

impl PartRow {
    /// Size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.run.map_or(0, |run| run.size)
    }
}

pub(crate) fn get(
    table: &impl ReadableTable<Key, Value>,
    upload: UploadId,
    number: PartNumber,
) -> Result<Option<PartRow>, StoreError> {
    table.get((upload.0, number.get()))?.map(|row| PartRow::read(row.value())).transpose()
}

/// The parts of `upload`, starting at number `from`, in order.
pub(crate) fn from(
    table: &impl ReadableTable<Key, Value>,
    upload: UploadId,
    from: u32,
) -> Result<impl Iterator<Item = Result<(u32, PartRow), StoreError>>, StoreError> {
    let range = table.range((upload.0, from)..=(upload.0, u32::MAX))?;
    Ok(range.map(|entry| {
        let (key, row) = entry?;
        Ok((key.value().1, PartRow::read(row.value())?))
    }))
}

/// The number of the part of a completed upload that holds the byte at `offset`: the last part that begins at or
/// before it. Part numbers may have gaps, so this is a binary search over numbers that looks at the first part from
/// the middle on.
pub(crate) fn holding(
    table: &impl ReadableTable<Key, Value>,
    upload: UploadId,
    offset: u64,
) -> Result<u32, StoreError> {
    let (mut low, mut high) = (1, PART_NUMBER_MAX);
    // Invariant: the part has a number in low..=high, or it does not exist.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let found = table.range((upload.0, middle)..=(upload.0, high))?.next().transpose()?;
        match found {
            Some((key, row)) if PartRow::read(row.value())?.offset <= offset => low = key.value().1,
            _ => high = middle - 1,
        }
    }
    Ok(low)
}
