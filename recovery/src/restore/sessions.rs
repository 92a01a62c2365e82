//! The last session of which a disk holds a shard, so that a new life gives out only numbers after it.

use cairn_core::id::{DiskId, ExtentId, SessionId};
use cairn_core::shard::ShardId;
use cairn_protocol::storage::{StorageError, StorageNode};

/// Bits of a session's number.
const SESSION_BITS: u32 = 48;

/// The highest number of a session of the same kind as `first` of which the disk has a shard; 0 if none. Halves the
/// space of numbers: an inventory is in order, and cannot be asked for its end.
pub(super) async fn last_session(node: &dyn StorageNode, disk: DiskId, first: SessionId) -> Result<u64, StorageError> {
    let (mut low, mut high) = (0u64, (1u64 << SESSION_BITS) - 1);
    // Invariant: no shard is of a session above `high`; `low` is zero, or one is of a session from `low` on.
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let before = ShardId { extent: ExtentId::new(SessionId(first.0 + middle - 1), u64::MAX), index: u8::MAX };
        let next = node.inventory(disk, Some(before), 1).await?;
        match next.first().map(|shard| shard.extent.session) {
            Some(session) if session.is_system() == first.is_system() => low = session.number(),
            _ => high = middle - 1,
        }
    }
    Ok(low)
}
