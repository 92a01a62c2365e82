//! What commands may use at the cluster's feature level, and who may take part at it.

use cairn_core::release::{FeatureLevel, Release};
use cairn_protocol::metadata::Rejection;

use crate::error::{Refused, StoreError};
use crate::state::tables::Tables;

/// Refused with `OtherRelease` if a process that runs `release` cannot take part.
pub(super) fn check_release(tables: &Tables<'_>, release: &Release) -> Result<(), Refused> {
    match tables.map()?.and_then(|map| release.refusal(map.level)) {
        Some(refusal) => Err(Rejection::OtherRelease(refusal).into()),
        None => Ok(()),
    }
}

/// Whether the cluster uses what came with `level`.
pub(super) fn uses(tables: &Tables<'_>, level: FeatureLevel) -> Result<bool, StoreError> {
    Ok(tables.map()?.is_some_and(|map| map.level >= level))
}
