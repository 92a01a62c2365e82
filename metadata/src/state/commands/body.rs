//! Bodies that are durable on disk and become part of the namespace with a commit.

use cairn_core::cluster_map::{ClusterMap, DiskState};
use cairn_core::id::{DiskNumber, SessionId};
use cairn_protocol::metadata::{PlacedRun, Rejection};

use crate::error::{Refused, StoreError};
use crate::state::tables::repair::Cause;
use crate::state::tables::{Row, Tables, abandoned, extents, repair, sessions};

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
        if abandoned::touches(&tables.abandoned, &body.run)? {
            let why = format!("its shards were given up, extent {} and those after it: write it again", body.run.first);
            return Err(Rejection::Stale(why).into());
        }
        check_places(tables, body, Needed::WriteQuorum)?;
    }
    Ok(Known::New)
}

/// How many shards of each extent must be on disks that are still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needed {
    /// What an acknowledged write promises (I1).
    WriteQuorum,
    /// What a reader needs: the body was acknowledged long ago.
    Readable,
}

/// Refuses a body too much of which was written to disks that have left the cluster since (I27). A write may take hours,
/// and a disk may be drained, empty and removed within them.
pub(super) fn check_places(tables: &Tables<'_>, body: &PlacedRun, needed: Needed) -> Result<(), Refused> {
    let Some(map) = tables.map()? else { return Ok(()) };
    for placed in &body.extents {
        let present = placed.locations.iter().flatten();
        let (gone, there): (Vec<DiskNumber>, Vec<DiskNumber>) = present.partition(|disk| is_gone(&map, **disk));
        let geometry = &placed.geometry;
        let quorum = map.profile(placed.profile).map(|profile| profile.write_quorum);
        let needed = match needed {
            Needed::WriteQuorum => quorum.unwrap_or(geometry.data_shards.saturating_add(geometry.parity_shards.min(1))),
            Needed::Readable => geometry.data_shards,
        };
        if !gone.is_empty() && there.len() < usize::from(needed) {
            let (left, gone) = (there.len(), gone.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
            let why = format!(
                "disks {gone} failed or were removed while the body was written: {left} shards of an extent are left, \
                 {needed} are needed"
            );
            return Err(Rejection::Topology(why).into());
        }
    }
    Ok(())
}

/// Whether nothing is kept on the disk any more: a shard there counts as missing.
pub(super) fn is_gone(map: &ClusterMap, disk: DiskNumber) -> bool {
    let state = map.disk(disk).map(|disk| disk.state);
    matches!(state, Some(DiskState::Failed | DiskState::Removed))
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

/// Records the body's locations, and queues missing shards for repair in the same transaction. A shard on a disk that
/// has left the cluster is missing: nothing refers to a disk that was drained and removed (I27).
pub(super) fn record(tables: &mut Tables<'_>, body: &PlacedRun) -> Result<(), StoreError> {
    let map = tables.map()?;
    for (id, placed) in body.run.ids().zip(&body.extents) {
        let key = id.to_bytes();
        let mut placed = placed.clone();
        if let Some(map) = &map {
            placed.locations.iter_mut().for_each(|at| *at = at.filter(|disk| !is_gone(map, *disk)));
        }
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
