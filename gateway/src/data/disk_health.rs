//! Which disks this gateway briefly leaves out of new placements.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::DiskNumber;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::StorageErrorKind;

/// Remembers failed calls. The cluster map shows a dead node only seconds later, and until then each write would fail
/// again.
pub struct DiskHealth {
    clock: Arc<dyn Clock>,
    /// Until when, in monotonic time, a disk is left out.
    out: RwLock<HashMap<DiskNumber, Duration>>,
}

/// How long a disk is left out after a failure.
const PAUSE: Duration = Duration::from_secs(5);

impl DiskHealth {
    /// At first all disks are usable.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, out: RwLock::default() }
    }

    /// Whether new shards may go to the disk.
    pub fn is_usable(&self, disk: DiskNumber) -> bool {
        let out = self.out.read().ignore_poison();
        out.get(&disk).is_none_or(|until| *until <= self.clock.monotonic())
    }

    /// A call to the disk failed. Busy nodes and wrong requests say nothing about the disk.
    pub fn failed(&self, disk: DiskNumber, kind: StorageErrorKind) {
        use StorageErrorKind as K;
        match kind {
            K::Unreachable | K::Full | K::Failed | K::Foreign | K::NoSuchDisk | K::Hanging => {
                let until = self.clock.monotonic() + PAUSE;
                self.out.write().ignore_poison().insert(disk, until);
            }
            K::Missing | K::Corrupt | K::Busy | K::Refused | K::Invalid | K::OutOfResources => {}
        }
    }
}
