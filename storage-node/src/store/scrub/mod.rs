//! The scrub (I14): reads every shard from the medium within a set time and compares it with its checksums, so that
//! what rots is found while there are still enough good shards to rebuild it from.
//!
//! A cycle goes through the live shards in the order in which they lie, so that the disk reads forward. What is alive
//! is asked of the index, batch by batch: a shard whose header is gone is found too, and what was deleted or has moved
//! is nobody's fault. The only state is a place in the log and what was found; it is saved now and then, and survives
//! everything. Findings wait in it until the metadata service has taken them.

mod listing;
pub(super) mod options;
mod pace;
mod progress;
mod source;
mod state;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, StorageErrorKind};

use self::listing::list;
use self::options::{
    BATCH_SHARDS, IDLE_SAVE_INTERVAL, SAVE_BYTES, TICK, TROUBLE_PAUSE, UNREADABLE_IN_A_ROW_MAX, UNREPORTED_MAX,
};
use self::progress::Progress;
use self::source::MediumSource;
pub(super) use self::state::ScrubState;
use super::entry::Entry;
use super::fault::classify;
use super::shared::Shared;
use super::verify::{Damage, verify};
use super::volume_files::volume_name;
use crate::format::Place;

/// Why a scrub does not go on.
pub(super) enum Halt {
    /// The disk goes out of service.
    Stopped,
    /// It cannot go on for now, for this reason.
    Trouble(String),
    /// A read failed.
    Read(std::io::Error),
}

/// The scrub thread's own state.
struct Scrub {
    shared: Arc<Shared>,
    source: Option<(u32, MediumSource)>,
    /// When the time that the cycle has run was last counted, and when its progress was last saved.
    counted_at: Duration,
    saved_at: Duration,
    saved: Option<Progress>,
    unreadable_in_a_row: u32,
}

/// Runs until the disk goes out of service.
pub(super) fn run(shared: &Arc<Shared>) {
    let now = shared.clock.monotonic();
    let (shared, source) = (Arc::clone(shared), None);
    let mut scrub = Scrub { shared, source, counted_at: now, saved_at: now, saved: None, unreadable_in_a_row: 0 };
    scrub.load();
    loop {
        match scrub.tick() {
            Ok(()) => {}
            Err(Halt::Stopped) => break,
            Err(Halt::Trouble(why)) => scrub.note_trouble(why),
            Err(Halt::Read(error)) => scrub.note_trouble(error.to_string()),
        }
    }
    scrub.count_time();
    scrub.save();
}

impl Scrub {
    fn load(&mut self) {
        let (disk, path) = (self.shared.identity.disk, &self.shared.path);
        match Progress::load(self.shared.io.as_ref(), disk) {
            Ok(None) => {}
            Ok(Some(progress)) => {
                self.saved = Some(progress.clone());
                self.shared.scrub.restore(progress);
            }
            Err(error) => {
                tracing::warn!(%disk, path, %error, "the scrub's progress is not usable: the cycle begins anew");
            }
        }
    }

    /// One step: a rest, or a batch of shards.
    fn tick(&mut self) -> Result<(), Halt> {
        self.count_time();
        if self.begin_if_due() {
            // What was asked for is not forgotten, whatever happens next.
            self.save();
        }
        if !self.shared.scrub.progress().running {
            self.save_idle();
            return self.rest(TICK);
        }
        let (from, until) = {
            let progress = self.shared.scrub.progress();
            (progress.position(), progress.until())
        };
        let batch = list(&self.shared, from, until, |pause| self.rest(pause))?;
        let is_last = batch.len() < BATCH_SHARDS;
        for (shard, entry) in batch.into_values() {
            self.visit(shard, entry)?;
        }
        if is_last {
            self.end();
        }
        Ok(())
    }

    fn begin_if_due(&self) -> bool {
        let asked = self.shared.scrub.take_request();
        let period = self.shared.options.scrub.period;
        let until = self.shared.state().tail;
        let mut progress = self.shared.scrub.progress();
        if progress.running {
            progress.accelerated |= asked;
            return asked;
        }
        let due = !period.is_zero() && (progress.cycle == 0 || progress.elapsed() >= period / 2);
        if asked || due {
            progress.begin(until, asked, self.shared.clock.now_ms());
            let (disk, cycle) = (self.shared.identity.disk, progress.cycle);
            tracing::info!(%disk, cycle, accelerated = asked, "a scrub cycle begins");
        }
        asked || due
    }

    fn end(&mut self) {
        {
            let mut progress = self.shared.scrub.progress();
            progress.end(self.shared.clock.now_ms());
            let (disk, cycle, shards) = (self.shared.identity.disk, progress.cycle, progress.shards);
            let (bytes, findings) = (progress.bytes, progress.findings);
            tracing::info!(%disk, cycle, shards, bytes, findings, "a scrub cycle has ended");
        }
        self.source = None;
        self.save();
    }

    /// Verifies one shard and moves on behind it.
    fn visit(&mut self, shard: ShardId, entry: Entry) -> Result<(), Halt> {
        self.count_time();
        self.shared.scrub.accelerate_if_asked();
        while self.shared.scrub.progress().unreported.len() >= UNREPORTED_MAX {
            let why = "too many findings wait until the metadata service can be reached".to_owned();
            self.shared.scrub.set_trouble(why);
            self.rest(TICK)?;
        }
        let finding = self.check(shard, &entry)?;
        let bytes = entry.header(shard).record_bytes();
        let next = Place { offset: entry.place.offset + bytes, ..entry.place };
        let is_found = finding.is_some();
        {
            let mut progress = self.shared.scrub.progress();
            if let Some(finding) = finding {
                let disk = self.shared.identity.disk;
                tracing::error!(%disk, shard = %shard, detail = finding.detail, "the scrub found a bad shard");
                progress.add(finding);
            }
            progress.advance(next, bytes);
        }
        self.shared.scrub.set_trouble(String::new());
        self.shared.scrub.measure(bytes, self.shared.clock.monotonic());
        if is_found {
            self.save();
        } else {
            self.save_if_due();
        }
        Ok(())
    }

    /// Reads a shard, again if it does not verify, and says what is wrong with it.
    fn check(&mut self, shard: ShardId, entry: &Entry) -> Result<Option<ScrubFinding>, Halt> {
        let mut attempts = 0;
        loop {
            if !self.is_there(shard, entry)? {
                return Ok(None);
            }
            let Err(damage) = self.look(shard, entry)? else {
                if attempts > 0 {
                    let place = entry.place;
                    tracing::warn!(%shard, %place, "a shard that did not verify does so at the second look");
                }
                self.unreadable_in_a_row = 0;
                return Ok(None);
            };
            // Another look is one at the medium, not at what was read before.
            self.source = None;
            attempts += 1;
            let (attempts_max, pause) = match damage {
                Damage::Unreadable => (3, self.shared.options.scrub.recheck_pause * 10),
                _ => (2, self.shared.options.scrub.recheck_pause),
            };
            if attempts < attempts_max {
                self.rest(pause)?;
                continue;
            }
            // A record that died meanwhile is punched.
            if !self.is_there(shard, entry)? {
                return Ok(None);
            }
            self.unreadable_in_a_row = if damage == Damage::Unreadable { self.unreadable_in_a_row + 1 } else { 0 };
            if self.unreadable_in_a_row > UNREADABLE_IN_A_ROW_MAX {
                let path = &self.shared.path;
                return Err(Halt::Trouble(format!(
                    "disk {path} does not give the bytes of {UNREADABLE_IN_A_ROW_MAX} shards in a row: check the \
                     kernel log and the hardware, or replace the disk"
                )));
            }
            let kind = if damage == Damage::VolumeGone { ShardReportKind::Missing } else { ShardReportKind::Corrupt };
            let detail = format!("{shard} at {} of {}: {damage}", entry.place, self.shared.path);
            return Ok(Some(ScrubFinding { shard, kind, detail }));
        }
    }

    /// Whether the index still says that the shard lies there.
    fn is_there(&self, shard: ShardId, entry: &Entry) -> Result<bool, Halt> {
        let located = self.shared.locate(&[shard]).map_err(|e| Halt::Trouble(e.to_string()))?;
        Ok(located.entries == [Some(*entry)])
    }

    /// Reads and verifies a shard once.
    fn look(&mut self, shard: ShardId, entry: &Entry) -> Result<Result<(), Damage>, Halt> {
        let volume = entry.place.volume;
        let mut source = match self.source.take() {
            Some((number, source)) if number == volume => source,
            _ => match self.shared.io.open_medium(&volume_name(volume)) {
                Ok(file) => MediumSource::new(file, Arc::clone(&self.shared)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Err(Damage::VolumeGone)),
                Err(error) => return self.blame(&error).map(Err),
            },
        };
        match verify(&self.shared.identity, &entry.header(shard), &mut source) {
            Ok(verdict) => {
                self.source = Some((volume, source));
                Ok(verdict)
            }
            Err(Halt::Read(error)) => self.blame(&error).map(Err),
            Err(halt) => Err(halt),
        }
    }

    /// What a failed read says of the shard: nothing, if the process is short of something (I21).
    fn blame(&self, error: &std::io::Error) -> Result<Damage, Halt> {
        match classify(error) {
            StorageErrorKind::Failed => Ok(Damage::Unreadable),
            _ => Err(Halt::Trouble(self.shared.io_error("reading for the scrub", error).to_string())),
        }
    }

    fn note_trouble(&mut self, why: String) {
        tracing::warn!(disk = %self.shared.identity.disk, "the scrub stands still: {why}");
        self.shared.scrub.set_trouble(why);
        self.unreadable_in_a_row = 0;
        // The next tick notices if the disk goes out of service meanwhile.
        let _ = self.rest(TROUBLE_PAUSE);
    }

    /// Rests, but no longer than the disk is in service.
    fn rest(&self, pause: Duration) -> Result<(), Halt> {
        self.shared.scrub.rest(pause)
    }

    /// Counts the time since the last call into the cycle's.
    fn count_time(&mut self) {
        let now = self.shared.clock.monotonic();
        let passed = now.saturating_sub(self.counted_at);
        if passed >= Duration::from_millis(1) {
            self.counted_at = now;
            self.shared.scrub.progress().elapsed_ms += passed.as_millis() as u64;
        }
    }

    fn save_if_due(&mut self) {
        let passed = self.shared.clock.monotonic().saturating_sub(self.saved_at);
        let bytes = self.saved.as_ref().map_or(0, |saved| saved.bytes);
        let much = self.shared.scrub.progress().bytes.saturating_sub(bytes) >= SAVE_BYTES;
        if much || passed >= self.shared.options.scrub.save_interval {
            self.save();
        }
    }

    /// Between two cycles only the time passes, findings are taken over by the metadata service, and compaction may come
    /// upon some.
    fn save_idle(&mut self) {
        let has_changed = {
            let saved = self.saved.as_ref().map_or(&[][..], |saved| &saved.unreported);
            self.shared.scrub.progress().unreported != saved
        };
        if has_changed || self.shared.clock.monotonic().saturating_sub(self.saved_at) >= IDLE_SAVE_INTERVAL {
            self.save();
        }
    }

    fn save(&mut self) {
        self.saved_at = self.shared.clock.monotonic();
        let progress = self.shared.scrub.progress().clone();
        // A disk that failed a write is left as it is; an unchanged file too.
        if self.shared.suspicion().is_some() || self.saved.as_ref() == Some(&progress) {
            return;
        }
        match progress.save(self.shared.io.as_ref()) {
            Ok(()) => self.saved = Some(progress),
            Err(error) => {
                let disk = self.shared.identity.disk;
                tracing::warn!(%disk, %error, "the scrub's progress cannot be saved: a restart repeats some of it");
            }
        }
    }
}

/// Whether a disk that holds `used_bytes` has any left to verify.
pub(super) fn remaining(used_bytes: u64, done_bytes: u64) -> u64 {
    used_bytes.saturating_sub(done_bytes)
}

/// Bytes that the disk holds, for the rate and the status.
fn total_bytes(shared: &Shared, progress: &Progress) -> u64 {
    shared.used_bytes.load(Ordering::Relaxed).max(progress.bytes)
}
