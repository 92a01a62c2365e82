//! Whether a state fits this release, and the group that it serves (I30).

use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::GroupId;
use cairn_core::release::Release;

use crate::error::StoreError;
use crate::state::tables::{Tables, meta};

/// Version of the state's format. Any other is refused, never treated as empty (I30). Version 6 has the group in every number;
/// the versions before it are not converted.
pub(crate) const STATE_FORMAT: u32 = 6;

/// Refuses a state of another release (I30). Writes the version of a new state.
pub(super) fn check_format(tables: &mut Tables<'_>) -> Result<(), StoreError> {
    match meta::get::<u32>(&tables.meta, meta::FORMAT)? {
        Some(STATE_FORMAT) => Ok(()),
        Some(found) => Err(other_format("the state", found)),
        None => meta::put(&mut tables.meta, meta::FORMAT, &STATE_FORMAT),
    }
}

/// Refuses the state of another group. Names the group of a new state.
pub(super) fn check_group(tables: &mut Tables<'_>) -> Result<(), StoreError> {
    match meta::get::<GroupId>(&tables.meta, meta::GROUP)? {
        Some(GroupId::FIRST) => Ok(()),
        Some(group) => Err(StoreError::OtherGroup { what: "the state", group }),
        None => meta::put(&mut tables.meta, meta::GROUP, &GroupId::FIRST),
    }
}

/// Refuses a cluster that uses what this release does not know: this member takes no part, and the others go on.
pub(crate) fn check_level(what: &'static str, map: Option<&ClusterMap>) -> Result<(), StoreError> {
    match map.and_then(|map| Release::current().refusal(map.level)) {
        Some(refusal) => Err(StoreError::OtherLevel { what, refusal }),
        None => Ok(()),
    }
}

/// The error for `what`, whose state has the format `found`, which is not this release's.
pub(crate) fn other_format(what: &'static str, found: u32) -> StoreError {
    let known = STATE_FORMAT;
    if found > known { StoreError::Newer { what, found, known } } else { StoreError::Older { what, found, known } }
}
