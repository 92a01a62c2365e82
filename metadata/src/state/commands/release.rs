//! Releases content in O(1), whatever its size.

use cairn_protocol::metadata::command::ReclaimId;

use super::context::Context;
use crate::error::StoreError;
use crate::state::tables::reclaim::{Garbage, ReclaimRow};
use crate::state::tables::{Tables, reclaim};

/// Queues `garbage` as the `item`-th release of this command.
pub(super) fn release(
    tables: &mut Tables<'_>,
    context: Context,
    item: u32,
    garbage: Option<Garbage>,
) -> Result<(), StoreError> {
    let Some(garbage) = garbage else { return Ok(()) };
    let id = ReclaimId { sequence: context.sequence, item };
    reclaim::put(&mut tables.reclaim, id, ReclaimRow { garbage, queued_ms: context.now_ms })
}
