//! Space on a disk: giving back what is dead, and setting some aside for the day when nothing is free.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use super::disk::Disk;
use super::index::Index;
use crate::format::VOLUME_DATA_START;

/// Punches the blocks without live records. Returns the volumes that got smaller.
pub(crate) fn punch(disk: &Disk, index: &Index) -> BTreeSet<u32> {
    let holes = index.state().take_holes();
    // A disk that failed a write is left as it is.
    if disk.suspicion().is_some() {
        return BTreeSet::new();
    }
    for hole in &holes {
        let bytes = hole.range.end.saturating_sub(hole.range.start);
        let punched = disk.files.get(hole.volume).and_then(|file| file.punch(hole.range.start, bytes));
        if let Err(error) = punched {
            tracing::warn!(disk = %disk.identity.disk, volume = hole.volume, %error, "cannot punch a hole");
        }
    }
    holes.into_iter().map(|hole| hole.volume).collect()
}

/// Makes the spare file, which becomes a volume for deletions when nothing is free: smaller if there is not enough for
/// its whole size.
pub(crate) fn make_spare(disk: &Disk) {
    let room = disk.options.tombstone_room_bytes;
    let free = disk.io.space().map_or(0, |space| space.available_bytes);
    for share in [1, 4, 16] {
        let bytes = VOLUME_DATA_START + (room / share).next_multiple_of(4096);
        if free <= bytes {
            continue;
        }
        match disk.io.make_spare(bytes) {
            Ok(()) => return disk.health.has_spare.store(share == 1, Ordering::Relaxed),
            Err(error) => {
                tracing::warn!(disk = %disk.identity.disk, bytes, %error, "cannot set a spare file aside");
            }
        }
    }
}
