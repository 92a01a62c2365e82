//! Content that nothing references any more, until its shards are deleted from the disks.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, UploadId};
use cairn_protocol::metadata::ExtentRun;
use cairn_protocol::metadata::command::ReclaimId;
use cairn_protocol::metadata::content::Content;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// (commit that released it, index within that commit) → row. Old entries come first.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("reclaim");
pub(crate) type Key = (u64, u32);
pub(crate) type Value = &'static [u8];

/// What an entry releases: one row regardless of its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Garbage {
    /// The extents of one body.
    #[n(0)]
    Run(#[n(0)] ExtentRun),
    /// All parts of an upload, with their rows.
    #[n(1)]
    Parts(#[n(0)] UploadId),
    /// The old copy of one shard that was rebuilt on, or moved to, another disk.
    #[n(2)]
    Shard {
        #[n(0)]
        extent: ExtentId,
        #[n(1)]
        index: u8,
        #[n(2)]
        disk: DiskNumber,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ReclaimRow {
    #[n(0)]
    pub(crate) garbage: Garbage,
    /// When it was queued, by the leader's clock. For people only: the reclaimer uses the commit order.
    #[n(1)]
    pub(crate) queued_ms: u64,
}

impl Row for ReclaimRow {
    const TABLE: &'static str = "reclaim";
}

impl Garbage {
    /// What is left to delete of a content; `None` if nothing is.
    pub(crate) fn of(content: Content) -> Option<Self> {
        match content {
            Content::Empty => None,
            Content::Run(run) => Some(Self::Run(run)),
            Content::Parts(upload) => Some(Self::Parts(upload)),
        }
    }
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, id: ReclaimId, row: ReclaimRow) -> Result<(), StoreError> {
    table.insert((id.sequence.0, id.item), row.to_bytes().as_slice())?;
    Ok(())
}

pub(crate) fn get(table: &impl ReadableTable<Key, Value>, id: ReclaimId) -> Result<Option<ReclaimRow>, StoreError> {
    table.get((id.sequence.0, id.item))?.map(|row| ReclaimRow::read(row.value())).transpose()
}

/// The first entry from `from` on that was queued by commit `newest` or earlier.
pub(crate) fn next(
    table: &impl ReadableTable<Key, Value>,
    from: ReclaimId,
    newest: CommitSequence,
) -> Result<Option<(ReclaimId, ReclaimRow)>, StoreError> {
    let range = (from.sequence.0, from.item)..=(newest.0, u32::MAX);
    if range.is_empty() {
        return Ok(None);
    }
    match table.range(range)?.next().transpose()? {
        Some((key, row)) => {
            let (sequence, item) = key.value();
            Ok(Some((ReclaimId { sequence: CommitSequence(sequence), item }, ReclaimRow::read(row.value())?)))
        }
        None => Ok(None),
    }
}
