//! See [`cairn_protocol::metadata::query::GetRepairQueue`].

use cairn_core::id::ExtentId;
use cairn_protocol::metadata::query::RepairEntry;
use redb::ReadableTable;

use crate::error::StoreError;
use crate::tables::View;

pub(super) fn repair_queue(view: &View, limit: u32) -> Result<Vec<RepairEntry>, StoreError> {
    let mut entries = Vec::new();
    for entry in view.repair()?.iter()?.take(limit as usize) {
        let (extent, index) = entry?.0.value();
        entries.push(RepairEntry { extent: ExtentId::from_bytes(extent), index });
    }
    Ok(entries)
}
