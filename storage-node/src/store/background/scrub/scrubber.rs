//! The scrub thread: cycles, their pace, and their saved progress.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::shard::ShardId;

use super::check::ShardCheck;
use super::listing::list;
use crate::format::Place;
use crate::store::index::Entry;
use crate::store::scrub_state::options::{
    BATCH_SHARDS, IDLE_SAVE_INTERVAL, SAVE_BYTES, TICK, TROUBLE_PAUSE, UNREPORTED_MAX,
};
use crate::store::scrub_state::{Halt, Progress};
use crate::store::shared::Shared;

/// The scrub thread's own state.
struct Scrubber {
    shared: Arc<Shared>,
    check: ShardCheck,
    /// When the time that the cycle has run was last counted, and when its progress was last saved.
    counted_at: Duration,
    saved_at: Duration,
    saved: Option<Progress>,
}

/// Runs until the disk goes out of service.
pub(crate) fn run(shared: &Arc<Shared>) {
    let now = shared.disk.clock.monotonic();
    let (shared, check) = (Arc::clone(shared), ShardCheck::new(Arc::clone(shared)));
    let mut scrub = Scrubber { shared, check, counted_at: now, saved_at: now, saved: None };
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

impl Scrubber {
    fn load(&mut self) {
        let (disk, path) = (self.shared.disk.identity.disk, &self.shared.disk.path);
        match Progress::load(self.shared.disk.io.as_ref(), disk) {
            Ok(None) => {}
            Ok(Some(progress)) => {
                self.saved = Some(progress.clone());
                self.shared.scrub.restore(progress);
            }
            Err(error) => {
                tracing::warn!(%disk, path, %error, "the scrub's saved progress cannot be used: the cycle begins again");
            }
        }
    }

    /// One step: a rest, or a batch of shards.
    fn tick(&mut self) -> Result<(), Halt> {
        self.count_time();
        if self.begin_if_due() {
            // The request survives a restart.
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
        let batch = list(&self.shared.index, from, until, |pause| self.rest(pause))?;
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
        let period = self.shared.disk.options.scrub.period;
        let until = self.shared.index.state().tail;
        let mut progress = self.shared.scrub.progress();
        if progress.running {
            progress.accelerated |= asked;
            return asked;
        }
        let due = !period.is_zero() && (progress.cycle == 0 || progress.elapsed() >= period / 2);
        if asked || due {
            progress.begin(until, asked, self.shared.disk.clock.now_ms());
            let (disk, cycle) = (self.shared.disk.identity.disk, progress.cycle);
            tracing::info!(%disk, cycle, accelerated = asked, "a scrub cycle begins");
        }
        asked || due
    }

    fn end(&mut self) {
        {
            let mut progress = self.shared.scrub.progress();
            progress.end(self.shared.disk.clock.now_ms());
            let (disk, cycle, shards) = (self.shared.disk.identity.disk, progress.cycle, progress.shards);
            let (bytes, findings) = (progress.bytes, progress.findings);
            tracing::info!(%disk, cycle, shards, bytes, findings, "a scrub cycle has ended");
        }
        self.check.close();
        self.save();
    }

    /// Verifies one shard and moves past it.
    fn visit(&mut self, shard: ShardId, entry: Entry) -> Result<(), Halt> {
        self.count_time();
        self.shared.scrub.accelerate_if_asked();
        while self.shared.scrub.progress().unreported.len() >= UNREPORTED_MAX {
            let why = "too many findings wait until the metadata service can be reached".to_owned();
            self.shared.scrub.set_trouble(why);
            self.rest(TICK)?;
        }
        let finding = self.check.check(shard, &entry)?;
        let bytes = entry.header(shard).record_bytes();
        let next = Place { offset: entry.place.offset + bytes, ..entry.place };
        let is_found = finding.is_some();
        {
            let mut progress = self.shared.scrub.progress();
            if let Some(finding) = finding {
                let disk = self.shared.disk.identity.disk;
                tracing::error!(%disk, shard = %shard, detail = finding.detail, "the scrub found a bad shard");
                progress.add(finding);
            }
            progress.advance(next, bytes);
        }
        self.shared.scrub.set_trouble(String::new());
        self.shared.scrub.measure(bytes, self.shared.disk.clock.monotonic());
        if is_found {
            self.save();
        } else {
            self.save_if_due();
        }
        Ok(())
    }

    fn note_trouble(&mut self, why: String) {
        tracing::warn!(disk = %self.shared.disk.identity.disk, "the scrub waits: {why}");
        self.shared.scrub.set_trouble(why);
        self.check.forgive_disk();
        // The next tick notices if the disk goes out of service meanwhile.
        let _ = self.rest(TROUBLE_PAUSE);
    }

    /// Rests; `Halt::Stopped` once the disk goes out of service.
    fn rest(&self, pause: Duration) -> Result<(), Halt> {
        self.shared.scrub.rest(pause)
    }

    /// Adds the time since the last call to the cycle's.
    fn count_time(&mut self) {
        let now = self.shared.disk.clock.monotonic();
        let passed = now.saturating_sub(self.counted_at);
        if passed >= Duration::from_millis(1) {
            self.counted_at = now;
            self.shared.scrub.progress().elapsed_ms += passed.as_millis() as u64;
        }
    }

    fn save_if_due(&mut self) {
        let passed = self.shared.disk.clock.monotonic().saturating_sub(self.saved_at);
        let bytes = self.saved.as_ref().map_or(0, |saved| saved.bytes);
        let much = self.shared.scrub.progress().bytes.saturating_sub(bytes) >= SAVE_BYTES;
        if much || passed >= self.shared.disk.options.scrub.save_interval {
            self.save();
        }
    }

    /// Saves what changes between two cycles: the time, and the findings, which the metadata service takes over and
    /// compaction adds to.
    fn save_idle(&mut self) {
        let has_changed = {
            let saved = self.saved.as_ref().map_or(&[][..], |saved| &saved.unreported);
            self.shared.scrub.progress().unreported != saved
        };
        if has_changed || self.shared.disk.clock.monotonic().saturating_sub(self.saved_at) >= IDLE_SAVE_INTERVAL {
            self.save();
        }
    }

    fn save(&mut self) {
        self.saved_at = self.shared.disk.clock.monotonic();
        let progress = self.shared.scrub.progress().clone();
        // A disk that failed a write is left as it is; an unchanged file too.
        if self.shared.disk.suspicion().is_some() || self.saved.as_ref() == Some(&progress) {
            return;
        }
        match progress.save(self.shared.disk.io.as_ref()) {
            Ok(()) => self.saved = Some(progress),
            Err(error) => {
                let disk = self.shared.disk.identity.disk;
                tracing::warn!(%disk, %error, "the scrub's progress cannot be saved: a restart repeats some of it");
            }
        }
    }
}
