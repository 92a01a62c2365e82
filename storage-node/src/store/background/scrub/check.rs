//! Checking one shard, again if it does not verify.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::shard::ShardId;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{ScrubFinding, StorageErrorKind};

use super::medium_source::MediumSource;
use crate::store::fault::classify;
use crate::store::index::Entry;
use crate::store::records::{Damage, verify};
use crate::store::scrub_state::Halt;
use crate::store::scrub_state::options::UNREADABLE_IN_A_ROW_MAX;
use crate::store::shared::Shared;
use crate::store::volume_files::volume_name;

/// Reads shards from the medium and says what is wrong with them.
pub(crate) struct ShardCheck {
    shared: Arc<Shared>,
    /// The volume that was read last, opened.
    source: Option<(u32, MediumSource)>,
    unreadable_in_a_row: u32,
}

impl ShardCheck {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, source: None, unreadable_in_a_row: 0 }
    }

    /// Closes the volume.
    pub(crate) fn close(&mut self) {
        self.source = None;
    }

    /// The disk was left alone for a while: its records get a new chance.
    pub(crate) fn forgive_disk(&mut self) {
        self.unreadable_in_a_row = 0;
    }

    /// Reads a shard, again if it does not verify; returns what is wrong with it.
    pub(crate) fn check(&mut self, shard: ShardId, entry: &Entry) -> Result<Option<ScrubFinding>, Halt> {
        let recheck_pause = self.shared.disk.options.scrub.recheck_pause;
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
            // The next look must read the medium, not what was read before.
            self.source = None;
            attempts += 1;
            let (attempts_max, pause) = match damage {
                Damage::Unreadable => (3, recheck_pause * 10),
                _ => (2, recheck_pause),
            };
            if attempts < attempts_max {
                self.rest(pause)?;
                continue;
            }
            // A record that died meanwhile is punched.
            if !self.is_there(shard, entry)? {
                return Ok(None);
            }
            return self.finding(shard, entry, damage).map(Some);
        }
    }

    fn finding(&mut self, shard: ShardId, entry: &Entry, damage: Damage) -> Result<ScrubFinding, Halt> {
        let path = &self.shared.disk.path;
        self.unreadable_in_a_row = if damage == Damage::Unreadable { self.unreadable_in_a_row + 1 } else { 0 };
        if self.unreadable_in_a_row > UNREADABLE_IN_A_ROW_MAX {
            return Err(Halt::Trouble(format!(
                "disk {path} does not give the bytes of {UNREADABLE_IN_A_ROW_MAX} shards in a row: check the kernel log \
                 and the hardware, or replace the disk"
            )));
        }
        let kind = if damage == Damage::VolumeGone { ShardReportKind::Missing } else { ShardReportKind::Corrupt };
        let detail = format!("{shard} at {} of {path}: {damage}", entry.place);
        Ok(ScrubFinding { shard, kind, detail })
    }

    /// Whether the index still has the shard at this place.
    fn is_there(&self, shard: ShardId, entry: &Entry) -> Result<bool, Halt> {
        let located = self.shared.index.locate(shard).map_err(|e| Halt::Trouble(e.to_string()))?;
        Ok(located.entry == Some(*entry))
    }

    /// Reads and verifies a shard once.
    fn look(&mut self, shard: ShardId, entry: &Entry) -> Result<Result<(), Damage>, Halt> {
        let volume = entry.place.volume;
        let mut source = match self.source.take() {
            Some((number, source)) if number == volume => source,
            _ => match self.shared.disk.io.open_medium(&volume_name(volume)) {
                Ok(file) => MediumSource::new(file, Arc::clone(&self.shared)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Damage::VolumeGone)),
                Err(error) => return self.blame(&error).map(Err),
            },
        };
        match verify(&self.shared.disk.identity, &entry.header(shard), &mut source) {
            Ok(verdict) => {
                self.source = Some((volume, source));
                Ok(verdict)
            }
            Err(Halt::Read(error)) => self.blame(&error).map(Err),
            Err(halt) => Err(halt),
        }
    }

    /// What a failed read says of the shard: nothing, if the process is short of resources (I21).
    fn blame(&self, error: &io::Error) -> Result<Damage, Halt> {
        match classify(error) {
            StorageErrorKind::Failed => Ok(Damage::Unreadable),
            _ => Err(Halt::Trouble(self.shared.disk.io_error("reading for the scrub", error).to_string())),
        }
    }

    fn rest(&self, pause: Duration) -> Result<(), Halt> {
        self.shared.scrub.rest(pause)
    }
}
