//! Bodies that are durable on disk and become part of the namespace with a commit.

use cairn_core::id::SessionId;
use cairn_protocol::metadata::{PlacedRun, Rejection};

use crate::error::{Refused, StoreError};
use crate::state::tables::repair::Cause;
use crate::state::tables::{Row, Tables, extents, repair, sessions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was not committed before.
    New,
    /// It was committed before: the command is a repetition.
    Committed,
}

/// Refuses a body that its session may not commit, or that is inconsistent.
///
/// A repetition is recognized before the session is checked: the first commit was valid whatever happened to the
/// session since, and a refusal would tell the gateway that it may delete the shards.
pub(super) fn check(tables: &Tables<'_>, session: SessionId, body: Option<&PlacedRun>) -> Result<Known, Refused> {
    if let Some(body) = body
        && extents::get(&tables.extents, body.run.first)?.is_some()
    {
        return Ok(Known::Committed);
    }
    if !sessions::is_open(&tables.sessions, session)? {
        return Err(Rejection::SessionEnded(session).into());
    }
    if let Some(body) = body {
        check_shape(session, body)?;
    }
    Ok(Known::New)
}

/// Fencing works only if the extents carry the session that commits them.
pub(super) fn check_shape(session: SessionId, body: &PlacedRun) -> Result<(), Rejection> {
    let refuse = |text: String| Err(Rejection::Topology(text));
    let run = &body.run;
    if run.first.session != session {
        return refuse(format!("session {session} commits an extent of session {}", run.first.session));
    }
    if run.size == 0 || run.count() != body.extents.len() as u64 {
        return refuse(format!("a body of {} bytes with {} extents", run.size, body.extents.len()));
    }
    let mut rest = run.size;
    for placed in &body.extents {
        let geometry = &placed.geometry;
        let expected = rest.min(run.extent_bytes);
        if geometry.check().is_err()
            || geometry.length != expected
            || placed.locations.len() != usize::from(geometry.total_shards())
        {
            return refuse(format!("an extent whose shape is {geometry:?} where {expected} bytes belong"));
        }
        let present = placed.locations.iter().flatten().count();
        if present < usize::from(geometry.data_shards) {
            return refuse(format!("an extent with {present} shards that needs {} to be read", geometry.data_shards));
        }
        rest -= expected;
    }
    Ok(())
}

/// Records the body's locations, and queues missing shards for repair in the same transaction.
pub(super) fn record(tables: &mut Tables<'_>, body: &PlacedRun) -> Result<(), StoreError> {
    for (id, placed) in body.run.ids().zip(&body.extents) {
        let key = id.to_bytes();
        let row = extents::ExtentRow::from(placed.clone());
        tables.extents.insert(key, row.to_bytes().as_slice())?;
        for (index, location) in (0u8..).zip(&placed.locations) {
            match location {
                Some(disk) => {
                    tables.disk_extents.insert((disk.0, key), ())?;
                }
                None => repair::put(&mut tables.repair, id, index, Cause::DegradedWrite)?,
            }
        }
    }
    Ok(())
}
