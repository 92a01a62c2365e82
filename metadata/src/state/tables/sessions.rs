//! Open gateway sessions. An ended session has no row: a session has ended if its id was issued and it has no row.

use cairn_core::id::{GroupId, NodeId, SessionId};
use cairn_core::release::Release;
use minicbor::{Decode, Encode};
use redb::{ReadableTable, TableDefinition};

use super::{Row, counters};
use crate::error::StoreError;

/// Session → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("sessions");
pub(crate) type Key = u64;
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct SessionRow {
    #[n(0)]
    pub(crate) gateway: NodeId,
    #[n(1)]
    pub(crate) opened_ms: u64,
    /// What the gateway runs.
    #[n(2)]
    pub(crate) release: Release,
    /// The gateway's name; `None` below [`cairn_core::release::FeatureLevel::SESSION_NAMES`], and for writers of system objects.
    #[n(3)]
    pub(crate) name: Option<String>,
}

impl Row for SessionRow {
    const TABLE: &'static str = "sessions";
}

pub(crate) fn is_open(table: &impl ReadableTable<Key, Value>, session: SessionId) -> Result<bool, StoreError> {
    Ok(table.get(session.0)?.is_some())
}

/// Whether `group`, whose tables these are, has issued `session` and has ended it. An id that was never issued has not ended,
/// and of the sessions of other groups nothing is known (I13).
pub(crate) fn has_ended(
    table: &impl ReadableTable<Key, Value>,
    counters: &impl ReadableTable<counters::Key, counters::Value>,
    group: GroupId,
    session: SessionId,
) -> Result<bool, StoreError> {
    let given_out =
        session.group() == group && (1..=counters::get(counters, counters::SESSION)?).contains(&session.number());
    Ok(given_out && !is_open(table, session)?)
}

pub(crate) fn all(table: &impl ReadableTable<Key, Value>) -> Result<Vec<(SessionId, SessionRow)>, StoreError> {
    let mut sessions = Vec::new();
    for entry in table.iter()? {
        let (id, row) = entry?;
        sessions.push((SessionId(id.value()), SessionRow::read(row.value())?));
    }
    Ok(sessions)
}
