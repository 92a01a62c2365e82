//! Describes the state as a snapshot.

use std::sync::Arc;

use openraft::{Snapshot, SnapshotMeta};

use super::codec::{LogIdRow, MembershipRow};
use super::machine::Machine;
use super::snapshot::{LiveState, SnapshotData};
use super::types::{LogId, TypeConfig};
use crate::error::StoreError;
use crate::state::tables::meta;

/// Syncs the state and describes it. The log may be purged up to here.
pub(crate) fn take(machine: &Machine) -> Result<Snapshot<TypeConfig>, StoreError> {
    let view = machine.sync()?;
    let table = view.meta()?;
    let applied: Option<LogId> = meta::get::<LogIdRow>(&table, meta::APPLIED)?.map(Into::into);
    let membership: Option<MembershipRow> = meta::get(&table, meta::MEMBERSHIP)?;
    let meta = SnapshotMeta {
        last_log_id: applied,
        last_membership: membership.map(Into::into).unwrap_or_default(),
        snapshot_id: applied.map_or_else(String::new, |id| id.to_string()),
    };
    let live = LiveState { view, spools: Arc::clone(machine.outgoing()) };
    Ok(Snapshot { meta, snapshot: Box::new(SnapshotData::Live(live)) })
}
