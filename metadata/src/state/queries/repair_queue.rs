//! See [`cairn_protocol::metadata::query::GetRepairQueue`].

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::query::RepairEntry;
use redb::ReadableTable;

use crate::error::StoreError;
use crate::state::tables::{View, extents};

pub(super) fn repair_queue(view: &View, limit: u32) -> Result<Vec<RepairEntry>, StoreError> {
    let (table, rows) = (view.repair()?, view.extents()?);
    let mut entries = Vec::new();
    for entry in table.iter()?.take(limit as usize) {
        let (key, cause) = entry?;
        let (extent, index) = key.value();
        let (extent, cause) = (ExtentId::from_bytes(extent), cause.value());
        let row = extents::get(&rows, extent)?;
        let disk = row.and_then(|row| row.locations.get(usize::from(index)).copied().flatten());
        entries.push(RepairEntry { extent, index, cause, disk });
    }
    Ok(entries)
}
