//! What the scrub thread shares with those who ask about it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::id::DiskId;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::storage::{ScrubFinding, ScrubStatus};

use super::options::UNREPORTED_MAX;
use super::progress::Progress;
use super::{Halt, total_bytes};
use crate::store::queue::Queue;
use crate::store::shared::Shared;

/// Time over which the rate is measured.
const MEASURE: Duration = Duration::from_secs(2);

/// The shared part of a disk's scrub.
pub(in crate::store) struct ScrubState {
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
    pub(in crate::store) fn new(disk: DiskId) -> Self {
        Self {
            progress: Mutex::new(Progress::new(disk)),
            speed: Mutex::default(),
            trouble: Mutex::default(),
            requested: AtomicBool::new(false),
            wake: Queue::new(1),
        }
    }

    pub(super) fn progress(&self) -> MutexGuard<'_, Progress> {
        locked(&self.progress)
    }

    /// Takes over what was saved. What was found since the disk came into service stays.
    pub(super) fn restore(&self, saved: Progress) {
        let mut progress = self.progress();
        let found = std::mem::replace(&mut *progress, saved).unreported;
        for finding in found {
            progress.remember(finding);
        }
    }

    /// Notes a bad shard that somebody else came upon. Beyond the limit it is left to the next cycle.
    pub(in crate::store) fn note(&self, finding: ScrubFinding) {
        let mut progress = self.progress();
        if progress.unreported.len() < UNREPORTED_MAX {
            progress.remember(finding);
        }
    }

    /// Asks for a cycle now.
    pub(in crate::store) fn request(&self) {
        self.requested.store(true, Ordering::Release);
        // One item is enough to wake it up.
        let _ = self.wake.push(());
    }

    pub(super) fn take_request(&self) -> bool {
        self.requested.swap(false, Ordering::AcqRel)
    }

    pub(super) fn accelerate_if_asked(&self) {
        if self.take_request() {
            self.progress().accelerated = true;
        }
    }

    pub(super) fn set_trouble(&self, why: String) {
        *locked(&self.trouble) = why;
    }

    /// Rests for `pause`, or until a cycle is asked for, or the disk goes out of service.
    pub(super) fn rest(&self, pause: Duration) -> Result<(), Halt> {
        if self.wake.drain_for(pause, &mut Vec::new()) { Ok(()) } else { Err(Halt::Stopped) }
    }

    /// Ends the scrub.
    pub(in crate::store) fn close(&self) {
        self.wake.close();
    }

    /// Counts verified bytes into the rate.
    pub(super) fn measure(&self, bytes: u64, now: Duration) {
        let mut speed = locked(&self.speed);
        speed.bytes += bytes;
        let passed = now.saturating_sub(speed.since);
        if passed >= MEASURE {
            let bytes_per_s = (speed.bytes as f64 / passed.as_secs_f64()) as u64;
            *speed = Speed { since: now, bytes: 0, bytes_per_s };
        }
    }

    /// Findings that the metadata service has not been told of, at most `limit`.
    pub(in crate::store) fn unreported(&self, limit: usize) -> Vec<ScrubFinding> {
        self.progress().unreported.iter().take(limit).cloned().collect()
    }

    /// The metadata service has these findings.
    pub(in crate::store) fn reported(&self, findings: &[ScrubFinding]) {
        self.progress().unreported.retain(|finding| !findings.contains(finding));
    }

    /// How far it is.
    pub(in crate::store) fn status(&self, shared: &Shared) -> ScrubStatus {
        let progress = self.progress();
        let rate_bytes_per_s = if progress.running { locked(&self.speed).bytes_per_s } else { 0 };
        ScrubStatus {
            cycle: progress.cycle,
            running: progress.running,
            accelerated: progress.accelerated,
            started_ms: progress.started_ms,
            done_bytes: progress.bytes,
            total_bytes: if progress.running { total_bytes(shared, &progress) } else { progress.bytes },
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
