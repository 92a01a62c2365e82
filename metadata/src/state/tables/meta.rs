//! What the state machine knows about itself: how far it has applied the log, and under which Raft membership.

use cairn_core::id::GroupId;
use cairn_protocol::metadata::query::RestoreHold;
use redb::{ReadableTable, Table, TableDefinition};

use super::Row;
use crate::error::StoreError;

/// Name → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("meta");
pub(crate) type Key = &'static str;
pub(crate) type Value = &'static [u8];

/// The last log id applied.
pub(crate) const APPLIED: &str = "applied";
/// The last Raft membership applied.
pub(crate) const MEMBERSHIP: &str = "membership";
/// The version of the state's format.
pub(crate) const FORMAT: &str = "format";
/// The group whose state it is.
pub(crate) const GROUP: &str = "group";
/// The directories that may act as members: see [`super::members`]. The row's name is older than the term.
pub(crate) const MEMBERSHIP_RECORD: &str = "roll";
/// Present while a restored service must not delete anything: see `RestoreHold`.
pub(crate) const RESTORED: &str = "restored";

/// For how long disks have been away: see [`super::absences`].
pub(crate) const ABSENCES: &str = "absences";
/// Which history the state belongs to: see [`super::history`].
pub(crate) const HISTORY: &str = "history";

impl Row for u32 {
    const TABLE: &'static str = "meta";
}

impl Row for GroupId {
    const TABLE: &'static str = "meta";
}

impl Row for RestoreHold {
    const TABLE: &'static str = "meta";
}

pub(crate) fn get<R: Row>(table: &impl ReadableTable<Key, Value>, name: &str) -> Result<Option<R>, StoreError> {
    table.get(name)?.map(|row| R::read(row.value())).transpose()
}

/// The group whose state it is.
pub(crate) fn group(table: &impl ReadableTable<Key, Value>) -> Result<GroupId, StoreError> {
    let damaged = || StoreError::Damaged { table: "meta", detail: "it names no group".to_owned() };
    get(table, GROUP)?.ok_or_else(damaged)
}

pub(crate) fn put(table: &mut Table<'_, Key, Value>, name: &str, row: &impl Row) -> Result<(), StoreError> {
    table.insert(name, row.to_bytes().as_slice())?;
    Ok(())
}
