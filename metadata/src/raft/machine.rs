//! The replicated state in its redb file. Each batch of entries is applied in one transaction; readers get consistent
//! views.
//!
//! A transaction is not synced by itself: the log is, and what a crash loses from this file is applied again from the
//! log. The log is purged only up to what has been synced here.

use cairn_core::sync::IgnorePoison;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, RwLock, Weak};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{COMMANDS_PER_ENTRY_MAX, CommitSequence, GroupId};
use redb::{Database, Durability, WriteTransaction};

use super::apply::{apply_entry, touches_map};
use super::calls::AppliedCalls;
use super::codec::{LogIdRow, MembershipRow};
use super::fitness::{check_format, check_group, check_level};
use super::proposal::Applied;
use super::snapshot::{LoadedState, Purpose, SideFile, Spools, remove_leftovers};
use super::types::{Entry, LogId, StoredMembership};
use crate::error::StoreError;
use crate::space::{self, Space};
use crate::state::commands::place;
use crate::state::tables::{Tables, View, cluster_map, meta};

/// Time and number of commands after which the state is synced.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);
const SYNC_COMMANDS: usize = 10_000;

/// Snapshots that are sent at a time: one to each other member of five.
const OUTGOING_MAX: usize = 4;
/// Backups that are read at a time.
const BACKUPS_MAX: usize = 2;

pub(crate) struct Machine {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    cache_bytes: usize,
    space: Arc<Space>,
    published: RwLock<Published>,
    /// Serializes everything that changes the file.
    writer: Mutex<Unsynced>,
    /// Snapshots that have begun to arrive.
    incoming: AtomicU64,
    outgoing: Arc<Spools>,
    backups: Arc<Spools>,
    /// Dropped after the database is closed.
    open: Arc<()>,
}

#[derive(Clone)]
struct Published {
    database: Arc<Database>,
    group: GroupId,
    applied: Option<LogId>,
    commit: CommitSequence,
    map: Option<Arc<ClusterMap>>,
}

/// What a crash would lose from the file.
struct Unsynced {
    since: Duration,
    commands: usize,
    /// Whether anything was applied since the last sync.
    dirty: bool,
    /// Calls whose outcomes clients may still ask for; written with each sync.
    calls: AppliedCalls,
}

impl Unsynced {
    fn new(now: Duration, calls: AppliedCalls) -> Self {
        Self { since: now, commands: 0, dirty: false, calls }
    }

    fn synced(&mut self, now: Duration) {
        (self.since, self.commands, self.dirty) = (now, 0, false);
    }
}

impl Machine {
    /// Opens the state in `path`; creates it if `create` is set. Removes what unfinished snapshots have left beside it.
    pub(crate) fn open(
        path: &Path,
        create: bool,
        cache_bytes: usize,
        clock: Arc<dyn Clock>,
        space: &Arc<Space>,
    ) -> Result<Self, StoreError> {
        remove_leftovers(path)?;
        let database = space::open(path, create, cache_bytes, space)?;
        Self::over(database, path, cache_bytes, clock, space)
    }

    /// The state in an open file that cannot be replaced.
    #[cfg(test)]
    pub(super) fn on(database: Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::over(database, Path::new("in memory"), 1 << 20, clock, &space::testing::roomy())
    }

    fn over(
        database: Database,
        path: &Path,
        cache_bytes: usize,
        clock: Arc<dyn Clock>,
        space: &Arc<Space>,
    ) -> Result<Self, StoreError> {
        let transaction = database.begin_write()?;
        {
            let mut tables = Tables::open(&transaction)?;
            check_format(&mut tables)?;
            check_group(&mut tables)?;
        }
        commit_synced(transaction)?;
        let published = read_published(Arc::new(database))?;
        let calls = AppliedCalls::read(&View::new(&published.database)?)?;
        let unsynced = Unsynced::new(clock.monotonic(), calls);
        let (published, writer) = (RwLock::new(published), Mutex::new(unsynced));
        let (path, space, incoming) = (path.to_owned(), Arc::clone(space), AtomicU64::new(0));
        let outgoing = Spools::beside(&path, Purpose::Outgoing, OUTGOING_MAX, &space);
        let backups = Spools::beside(&path, Purpose::Backup, BACKUPS_MAX, &space);
        let open = Arc::new(());
        Ok(Self { path, clock, cache_bytes, space, published, writer, incoming, outgoing, backups, open })
    }

    /// A token that can no longer be upgraded once the file is closed.
    pub(crate) fn open_token(&self) -> Weak<()> {
        Arc::downgrade(&self.open)
    }

    fn published(&self) -> Published {
        self.published.read().ignore_poison().clone()
    }

    fn publish(&self, published: Published) {
        *self.published.write().ignore_poison() = published;
    }

    fn lock_writer(&self) -> MutexGuard<'_, Unsynced> {
        self.writer.lock().ignore_poison()
    }

    /// Blocks all writes, for a test that copies the file.
    #[cfg(test)]
    pub(crate) fn hold(&self) -> impl Drop + '_ {
        self.lock_writer()
    }

    pub(crate) fn view(&self) -> Result<View, StoreError> {
        let database = Arc::clone(&self.published.read().ignore_poison().database);
        View::new(&database)
    }

    pub(crate) fn applied(&self) -> Option<LogId> {
        self.published.read().ignore_poison().applied
    }

    pub(crate) fn commit(&self) -> CommitSequence {
        self.published.read().ignore_poison().commit
    }

    /// `None` before the cluster is formed.
    pub(crate) fn map(&self) -> Option<Arc<ClusterMap>> {
        self.published.read().ignore_poison().map.clone()
    }

    pub(crate) fn membership(&self) -> Result<StoredMembership, StoreError> {
        let row: Option<MembershipRow> = meta::get(&self.view()?.meta()?, meta::MEMBERSHIP)?;
        Ok(row.map(Into::into).unwrap_or_default())
    }

    /// Applies entries in one transaction: all of them or none. Waits while there is no room.
    pub(crate) fn apply(&self, entries: &[Entry]) -> Result<Vec<Applied>, StoreError> {
        let mut writer = self.lock_writer();
        let _patience = self.space.wait_here();
        let applied = self.apply_all(entries, &mut writer);
        if applied.is_ok() {
            writer.calls.keep();
        } else {
            writer.calls.undo();
        }
        applied
    }

    fn apply_all(&self, entries: &[Entry], writer: &mut Unsynced) -> Result<Vec<Applied>, StoreError> {
        let mut next = self.published();
        let group = next.group;
        let mut transaction = next.database.begin_write()?;
        let mut map_changed = false;
        let mut all = Vec::with_capacity(entries.len());
        let now = self.clock.monotonic();
        let due = {
            let mut tables = Tables::open(&transaction)?;
            for entry in entries {
                let applied = apply_entry(&mut tables, &mut writer.calls, group, entry)?;
                map_changed |= touches_map(entry);
                next.commit = place(group, entry.log_id.index, applied.outcomes.len().saturating_sub(1))?;
                next.applied = Some(entry.log_id);
                writer.commands += applied.outcomes.len();
                all.push(applied);
            }
            if let Some(last) = entries.last() {
                meta::put(&mut tables.meta, meta::APPLIED, &LogIdRow::from(last.log_id))?;
            }
            if map_changed {
                next.map = tables.map()?;
                check_level("the log", next.map.as_deref())?;
            }
            let due = writer.commands >= SYNC_COMMANDS || now.saturating_sub(writer.since) >= SYNC_INTERVAL;
            if due {
                writer.calls.write(&mut tables)?;
            }
            due
        };
        if due {
            commit_synced(transaction)?;
            writer.synced(now);
        } else {
            transaction.set_durability(Durability::None)?;
            transaction.commit()?;
            writer.dirty = true;
        }
        self.publish(next);
        Ok(all)
    }

    /// Syncs everything applied so far, and returns the synced state. Waits while there is no room.
    pub(crate) fn sync(&self) -> Result<View, StoreError> {
        let _patience = self.space.wait_here();
        self.sync_now()
    }

    fn sync_now(&self) -> Result<View, StoreError> {
        let mut writer = self.lock_writer();
        let database = self.published().database;
        if writer.dirty {
            let transaction = database.begin_write()?;
            writer.calls.write(&mut Tables::open(&transaction)?)?;
            commit_synced(transaction)?;
            writer.synced(self.clock.monotonic());
        }
        View::new(&database)
    }

    /// Syncs if the last sync was long enough ago, so that the last commands before a quiet period are synced too.
    pub(crate) fn sync_if_due(&self) -> Result<(), StoreError> {
        let due = {
            let writer = self.lock_writer();
            writer.dirty && self.clock.monotonic().saturating_sub(writer.since) >= SYNC_INTERVAL
        };
        if due { self.sync().map(drop) } else { Ok(()) }
    }

    /// A file in which a snapshot is assembled before it is installed.
    pub(crate) fn incoming_file(&self) -> SideFile {
        SideFile::beside(&self.path, Purpose::Incoming, self.incoming.fetch_add(1, Ordering::Relaxed))
    }

    /// Where snapshots are copied to before they are sent.
    pub(crate) fn outgoing(&self) -> &Arc<Spools> {
        &self.outgoing
    }

    /// Where backups are written before they are read.
    pub(crate) fn backups(&self) -> &Arc<Spools> {
        &self.backups
    }

    /// The room for the file.
    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// Page cache of the file, in bytes.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.cache_bytes
    }

    /// Completes an installation that the end of the process interrupted: the log may be purged for it, up to `purged`, before
    /// the state is replaced. A state that was received and is not needed is removed.
    pub(crate) fn complete_install(&self, purged: Option<LogId>) -> Result<(), StoreError> {
        let file = SideFile::received(&self.path);
        if self.applied() < purged && file.path().exists() {
            tracing::info!(path = %file.path().display(), "a snapshot was received and not installed: it is the state now");
            let database = Arc::new(space::open(file.path(), false, self.cache_bytes, &self.space)?);
            return self.install(LoadedState { database, file }, purged);
        }
        file.remove()
    }

    /// Removes a state that was received, unless it was installed. Not for one that may be installed yet.
    pub(crate) fn forget_received(&self) -> Result<(), StoreError> {
        SideFile::received(&self.path).remove()
    }

    /// Replaces the whole state with another, which must reach to `expected`. Until then the old one is untouched.
    pub(crate) fn install(&self, state: LoadedState, expected: Option<LogId>) -> Result<(), StoreError> {
        let mut writer = self.lock_writer();
        let calls = AppliedCalls::read(&View::new(&state.database)?)?;
        let published = read_published(state.database)?;
        if published.group != self.published().group {
            return Err(StoreError::OtherGroup { what: "the snapshot", group: published.group });
        }
        if published.applied != expected {
            let detail = format!("it reaches to {:?}, its description says {expected:?}", published.applied);
            return Err(StoreError::Damaged { table: "snapshot", detail });
        }
        state.file.replace(&self.path)?;
        tracing::info!(applied = ?expected.map(|id| id.index), "the state was replaced by a snapshot of the leader's");
        // The database stays open across the rename; readers of the old one keep its file until they are done.
        self.publish(published);
        *writer = Unsynced::new(self.clock.monotonic(), calls);
        Ok(())
    }
}

impl Drop for Machine {
    /// Closing the database makes everything applied durable, so the outcomes that clients may still ask for must be
    /// written before.
    fn drop(&mut self) {
        if let Err(error) = self.sync_now() {
            tracing::warn!(%error, "the metadata state was not synced; it is applied again at the next start");
        }
    }
}

fn commit_synced(mut transaction: WriteTransaction) -> Result<(), StoreError> {
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_quick_repair(true);
    transaction.commit()?;
    Ok(())
}

fn read_published(database: Arc<Database>) -> Result<Published, StoreError> {
    let view = View::new(&database)?;
    let applied: Option<LogId> = meta::get::<LogIdRow>(&view.meta()?, meta::APPLIED)?.map(Into::into);
    // The number of commands in the last entry is not stored; assuming a full entry keeps the sequence ahead of all
    // of them.
    let group = meta::group(&view.meta()?)?;
    let commit = match applied {
        Some(id) => place(group, id.index, COMMANDS_PER_ENTRY_MAX - 1)?,
        None => CommitSequence::start(group),
    };
    let map = cluster_map::get(&view.cluster_map()?)?.map(Arc::new);
    check_level("the state", map.as_deref())?;
    Ok(Published { database, group, applied, commit, map })
}
