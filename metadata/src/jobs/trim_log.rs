//! Purges the log behind the synced state: by time and by bytes, and not while a member needs it that has a snapshot on its
//! way. Every member does so for its own log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::MemberId;
use openraft::ServerState;

use super::job::Job;
use crate::leader::{Leader, LeaderError};
use crate::options::Options;
use crate::raft::Raft;
use crate::raft::log_store::LogStore;
use crate::raft::pins::{Pins, Progress};
use crate::raft::retention::Retention;
use crate::space::free_bytes;

/// Entries kept for members that are a little late, unless they take too many bytes.
const ENTRIES_KEPT: u64 = 1000;
/// Entries purged at a time: fewer are left for later, and more take several turns, because Raft waits meanwhile.
const PURGE_MIN: u64 = 256;
const PURGE_MAX: u64 = 4096;

pub(crate) struct TrimLog {
    raft: Raft,
    log: LogStore,
    pins: Arc<Pins>,
    retention: Retention,
    file: PathBuf,
}

/// Raft, at one moment.
struct Now {
    leads: bool,
    is_alone: bool,
    last: u64,
    /// The last entry in the synced state, as far as Raft knows: what is newer is never purged.
    synced: u64,
    matched: BTreeMap<MemberId, Option<u64>>,
}

impl Job for TrimLog {
    const NAME: &'static str = "trim log";
    const LEADS: bool = false;

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        let file = self.file.clone();
        let room = tokio::task::spawn_blocking(move || room(&file)).await?;
        self.trim(leader.now(), room).await
    }
}

impl TrimLog {
    pub(crate) fn new(options: &Options, raft: Raft, log: LogStore, pins: Arc<Pins>) -> Self {
        let retention = Retention::new(options.log, ENTRIES_KEPT.min(options.snapshot_entries));
        Self { raft, log, pins, retention, file: options.dir.join("log.redb") }
    }

    /// Purges a bounded number of entries; tells whether there are more.
    async fn trim(&mut self, at: Duration, room: Option<u64>) -> Result<bool, LeaderError> {
        let now = self.observe();
        let limits = self.retention.limits(room);
        let large = self.log.first_within(limits.kept).map_or(0, |first| first.saturating_sub(1));
        let unneeded = self.retention.old(at, now.last, now.is_alone).max(large);
        let stopped = |fatal: openraft::error::Fatal<MemberId>| LeaderError::RaftDown(fatal.to_string());
        if large > now.synced {
            // Few entries with many bytes: the state is synced before its time, so that they may go.
            self.raft.trigger().snapshot().await.map_err(stopped)?;
        }
        let upto = unneeded.min(self.pinned(&now, limits.pinned, at)).min(now.synced);
        let purged = self.log.purged().map_or(0, |id| id.index);
        if upto < purged + PURGE_MIN.min(self.retention.entries_min()) {
            return Ok(false);
        }
        let step = upto.min(purged + PURGE_MAX);
        self.raft.trigger().purge_log(step).await.map_err(stopped)?;
        // Answered once the purge was made, or put off because the entries are being sent.
        self.raft.with_raft_state(|_| ()).await.map_err(stopped)?;
        Ok(step < upto && self.log.purged().is_some_and(|id| id.index >= step))
    }

    /// The last entry that no member needs that is being sent a snapshot.
    fn pinned(&self, now: &Now, bytes_max: u64, at: Duration) -> u64 {
        if !now.leads {
            self.pins.clear();
            return u64::MAX;
        }
        let progress = Progress {
            matched: &now.matched,
            last: now.last,
            lag_max: self.retention.entries_min(),
            bytes_behind: &|index| self.log.bytes_behind(index),
            bytes_max,
            now: at,
        };
        self.pins.review(&progress).unwrap_or(u64::MAX)
    }

    fn observe(&self) -> Now {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let replication = metrics.replication.iter().flatten();
        Now {
            leads: metrics.state == ServerState::Leader,
            is_alone: metrics.membership_config.membership().nodes().count() <= 1,
            last: metrics.last_log_index.unwrap_or(0),
            synced: metrics.snapshot.map_or(0, |id| id.index),
            matched: replication.map(|(id, matched)| (*id, matched.map(|id| id.index))).collect(),
        }
    }
}

/// Bytes that the log's file and the free space beside it have together; `None` if the system does not say.
fn room(file: &Path) -> Option<u64> {
    Some(free_bytes(file)?.saturating_add(file.metadata().ok()?.len()))
}
