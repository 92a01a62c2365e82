//! What the scrub thread shares with the other threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::id::DiskId;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::{ScrubFinding, ScrubStatus};

use super::halt::Halt;
use super::options::UNREPORTED_MAX;
use super::progress::Progress;
use crate::store::queue::Queue;

/// Time over which the rate is measured.
const MEASURE: Duration = Duration::from_secs(2);

/// Progress, findings and requests of a disk's scrub.
pub(crate) struct ScrubState {
    progress: Mutex<Progress>,
    speed: Mutex<Speed>,
    trouble: Mutex<String>,
    requested: AtomicBool,
    /// Cuts a rest short; closed at the end.
    wake: Queue<()>,
}

#[derive(Default)]
struct Speed {
    since: Duration,
    bytes: u64,
    bytes_per_s: u64,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().ignore_poison()
}

impl ScrubState {
    pub(crate) fn new(disk: DiskId) -> Self {
        Self {
            progress: Mutex::new(Progress::new(disk)),
            speed: Mutex::default(),
            trouble: Mutex::default(),
            requested: AtomicBool::new(false),
            wake: Queue::new(1),
        }
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        locked(&self.progress)
    }

    /// Takes over what was saved; what was found since the disk came into service stays.
    pub(crate) fn restore(&self, saved: Progress) {
        let mut progress = self.progress();
        let found = std::mem::replace(&mut *progress, saved).unreported;
        for finding in found {
            progress.remember(finding);
        }
    }

    /// Somebody other than the scrub found a bad shard. Beyond the limit it is left to the next cycle.
    pub(crate) fn note(&self, finding: ScrubFinding) {
        let mut progress = self.progress();
        if progress.unreported.len() < UNREPORTED_MAX {
            progress.remember(finding);
        }
    }

    /// Requests a cycle.
    pub(crate) fn request(&self) {
        self.requested.store(true, Ordering::Release);
        // One item is enough to wake the thread.
        let _ = self.wake.push(());
    }

    pub(crate) fn take_request(&self) -> bool {
        self.requested.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn accelerate_if_asked(&self) {
        if self.take_request() {
            self.progress().accelerated = true;
        }
    }

    pub(crate) fn set_trouble(&self, why: String) {
        *locked(&self.trouble) = why;
    }

    /// Rests for `pause`, or until a cycle is requested; `Halt::Stopped` once the disk goes out of service.
    pub(crate) fn rest(&self, pause: Duration) -> Result<(), Halt> {
        if self.wake.drain_for(pause, &mut Vec::new()) { Ok(()) } else { Err(Halt::Stopped) }
    }

    /// Ends the scrub.
    pub(crate) fn close(&self) {
        self.wake.close();
    }

    /// Adds verified bytes to the measured rate.
    pub(crate) fn measure(&self, bytes: u64, now: Duration) {
        let mut speed = locked(&self.speed);
        speed.bytes += bytes;
        let passed = now.saturating_sub(speed.since);
        if passed >= MEASURE {
            let bytes_per_s = (speed.bytes as f64 / passed.as_secs_f64()) as u64;
            *speed = Speed { since: now, bytes: 0, bytes_per_s };
        }
    }

    /// Findings that are not yet reported to the metadata service, at most `limit`.
    pub(crate) fn unreported(&self, limit: usize) -> Vec<ScrubFinding> {
        self.progress().unreported.iter().take(limit).cloned().collect()
    }

    /// The metadata service has taken these findings.
    pub(crate) fn reported(&self, findings: &[ScrubFinding]) {
        self.progress().unreported.retain(|finding| !findings.contains(finding));
    }

    /// How far the scrub of a disk is that holds `used_bytes`.
    pub(crate) fn status(&self, used_bytes: u64) -> ScrubStatus {
        let progress = self.progress();
        let rate_bytes_per_s = if progress.running { locked(&self.speed).bytes_per_s } else { 0 };
        ScrubStatus {
            cycle: progress.cycle,
            running: progress.running,
            accelerated: progress.accelerated,
            started_ms: progress.started_ms,
            done_bytes: progress.bytes,
            total_bytes: if progress.running { progress.total_bytes(used_bytes) } else { progress.bytes },
            shards: progress.shards,
            rate_bytes_per_s,
            findings: progress.findings,
            unreported: progress.unreported.len() as u64,
            newest: progress.newest.clone(),
            last: progress.last,
            trouble: locked(&self.trouble).clone(),
        }
    }
}
