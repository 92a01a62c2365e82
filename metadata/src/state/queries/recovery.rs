//! See [`ListExtents`] and [`ListFindings`].

use std::ops::Bound;

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::query::{Finding, KnownExtent, ListExtents, ListFindings};

use crate::error::StoreError;
use crate::state::tables::extents::ExtentRow;
use crate::state::tables::{Row, View, extents, findings};

/// Page size limit.
const EXTENTS_MAX: usize = 10_000;

/// Page size limit.
const FINDINGS_MAX: usize = 1000;

pub(super) fn list_extents(view: &View, query: &ListExtents) -> Result<Vec<KnownExtent>, StoreError> {
    let start = query.after.map_or(Bound::Unbounded, |extent| Bound::Excluded(extent.to_bytes()));
    let rows = view.extents()?;
    let rows = rows.range::<extents::Key>((start, Bound::Unbounded))?;
    let known = rows.take((query.limit as usize).min(EXTENTS_MAX)).map(|entry| {
        let (id, row) = entry?;
        let geometry = ExtentRow::read(row.value())?.geometry;
        let id = ExtentId::from_bytes(id.value());
        Ok(KnownExtent { id, data_shards: geometry.data_shards, length: geometry.length })
    });
    known.collect()
}

pub(super) fn list_findings(view: &View, query: &ListFindings) -> Result<Vec<Finding>, StoreError> {
    findings::page(&view.findings()?, query.after, (query.limit as usize).min(FINDINGS_MAX))
}
