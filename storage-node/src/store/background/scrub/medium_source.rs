//! A volume as the scrub reads it: from the medium, window by window, in the time that clients leave.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;

use super::pace::{Pace, rate};
use crate::disk_io::Medium;
use crate::store::records::Source;
use crate::store::scrub_state::Halt;
use crate::store::scrub_state::options::WINDOW_BYTES;
use crate::store::shared::Shared;

/// Longest wait for the disk's clients before one read: a disk that is never idle is scrubbed too.
const YIELD_MAX: Duration = Duration::from_secs(1);
/// Time between two looks whether clients still wait.
const YIELD_STEP: Duration = Duration::from_millis(5);

/// Reads a volume.
pub(crate) struct MediumSource {
    file: Box<dyn Medium>,
    shared: Arc<Shared>,
    pace: Pace,
    window_start: u64,
    window: Bytes,
}

impl MediumSource {
    pub(crate) fn new(file: Box<dyn Medium>, shared: Arc<Shared>) -> Self {
        Self { file, shared, pace: Pace::default(), window_start: 0, window: Bytes::new() }
    }

    fn cut(&self, offset: u64, bytes: usize) -> Option<Bytes> {
        let start = offset.checked_sub(self.window_start)? as usize;
        (start + bytes <= self.window.len()).then(|| self.window.slice(start..start + bytes))
    }

    /// Waits while clients wait for the disk.
    fn give_way(&self) -> Result<(), Halt> {
        let mut waited = Duration::ZERO;
        while waited < YIELD_MAX && self.shared.is_wanted() {
            self.shared.scrub.rest(YIELD_STEP)?;
            waited += YIELD_STEP;
        }
        Ok(())
    }

    fn rate(&self) -> u64 {
        let used_bytes = self.shared.disk.health.used_bytes.load(Ordering::Relaxed);
        let progress = self.shared.scrub.progress();
        let remaining = progress.total_bytes(used_bytes) - progress.bytes;
        rate(&self.shared.disk.options.scrub, remaining, progress.elapsed(), progress.accelerated)
    }
}

impl Source for MediumSource {
    type Error = Halt;
    /// Cell by cell: the windows below are long enough.
    const RUN_BYTES: u64 = 1;

    fn read(&mut self, offset: u64, bytes: usize) -> Result<Bytes, Halt> {
        if let Some(piece) = self.cut(offset, bytes) {
            return Ok(piece);
        }
        self.give_way()?;
        let start = self.shared.disk.clock.monotonic();
        let window = self.file.read_at(bytes.max(WINDOW_BYTES), offset);
        // One unreadable sector must not hide its neighbours: try again with no more than is needed.
        self.window = window.or_else(|_| self.file.read_at(bytes, offset)).map_err(Halt::Read)?;
        self.window_start = offset;
        let took = self.shared.disk.clock.monotonic().saturating_sub(start);
        let rest = self.pace.rest(self.window.len() as u64, took, self.rate());
        self.shared.scrub.rest(rest)?;
        Ok(self.cut(offset, bytes).unwrap_or_else(|| self.window.clone()))
    }
}
