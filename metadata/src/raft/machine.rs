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
use cairn_core::id::CommitSequence;
use cairn_protocol::metadata::{Outcome, Rejection};
use cairn_protocol::rpc::CallTag;
use openraft::EntryPayload;
use redb::{Database, Durability, WriteTransaction};

use super::calls::{AppliedCalls, Standing};
use super::codec::{LogIdRow, MembershipRow};
use super::proposal::{Applied, Change, Proposal};
use super::snapshot::{IncomingFile, LoadedState, remove_leftovers};
use super::types::{Entry, LogId, StoredMembership};
use crate::error::StoreError;
use crate::space::{self, Space};
use crate::state::commands::{self, Context};
use crate::state::stored::StoredCommand;
use crate::state::tables::history::History;
use crate::state::tables::{Tables, View, absences, cluster_map, members, meta};

/// Time and number of commands after which the state is synced.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);
const SYNC_COMMANDS: usize = 10_000;

/// Version of the state's format. Any other is refused, never treated as empty (I30). Version 5 has a record for each
/// bucket's settings; the versions before it had a table for each setting, and are not converted.
pub(crate) const STATE_FORMAT: u32 = 5;

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
    /// Dropped after the database is closed.
    open: Arc<()>,
}

#[derive(Clone)]
struct Published {
    database: Arc<Database>,
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
        check_format(&mut Tables::open(&transaction)?)?;
        commit_synced(transaction)?;
        let published = read_published(Arc::new(database))?;
        let calls = AppliedCalls::read(&View::new(&published.database)?)?;
        let unsynced = Unsynced::new(clock.monotonic(), calls);
        let (published, writer) = (RwLock::new(published), Mutex::new(unsynced));
        let (path, space, incoming) = (path.to_owned(), Arc::clone(space), AtomicU64::new(0));
        Ok(Self { path, clock, cache_bytes, space, published, writer, incoming, open: Arc::new(()) })
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
        let mut transaction = next.database.begin_write()?;
        let mut map_changed = false;
        let mut all = Vec::with_capacity(entries.len());
        let now = self.clock.monotonic();
        let due = {
            let mut tables = Tables::open(&transaction)?;
            for entry in entries {
                let applied = apply_entry(&mut tables, &mut writer.calls, entry)?;
                map_changed |= touches_map(entry);
                next.commit = commands::sequence(entry.log_id.index, applied.outcomes.len().saturating_sub(1));
                next.applied = Some(entry.log_id);
                writer.commands += applied.outcomes.len();
                all.push(applied);
            }
            if let Some(last) = entries.last() {
                meta::put(&mut tables.meta, meta::APPLIED, &LogIdRow::from(last.log_id))?;
            }
            if map_changed {
                next.map = tables.map()?;
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
    pub(crate) fn incoming_file(&self) -> IncomingFile {
        IncomingFile::beside(&self.path, self.incoming.fetch_add(1, Ordering::Relaxed))
    }

    /// The room for the file.
    pub(crate) fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// Page cache of the file, in bytes.
    pub(crate) fn cache_bytes(&self) -> usize {
        self.cache_bytes
    }

    /// Replaces the whole state with another, which must reach to `expected`. Until then the old one is untouched.
    pub(crate) fn install(&self, state: LoadedState, expected: Option<LogId>) -> Result<(), StoreError> {
        let mut writer = self.lock_writer();
        let calls = AppliedCalls::read(&View::new(&state.database)?)?;
        let published = read_published(state.database)?;
        if published.applied != expected {
            let detail = format!("it reaches to {:?}, its description says {expected:?}", published.applied);
            return Err(StoreError::Damaged { table: "snapshot", detail });
        }
        state.file.replace(&self.path)?;
        sync_directory(&self.path)?;
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

fn apply_entry(tables: &mut Tables<'_>, calls: &mut AppliedCalls, entry: &Entry) -> Result<Applied, StoreError> {
    let index = entry.log_id.index;
    match &entry.payload {
        EntryPayload::Blank => Ok(Applied::default()),
        EntryPayload::Membership(membership) => {
            let row = MembershipRow::new(Some(entry.log_id), membership);
            meta::put(&mut tables.meta, meta::MEMBERSHIP, &row)?;
            Ok(Applied::default())
        }
        EntryPayload::Normal(proposal) => match &proposal.change {
            Change::Bootstrap(bootstrap) => {
                commands::bootstrap(tables, bootstrap)?;
                Ok(Applied::default())
            }
            Change::Batch(batch, tags) => {
                let mut outcomes = Vec::with_capacity(batch.len());
                let mut tags = tags.iter().flatten();
                for (item, command) in batch.iter().enumerate() {
                    let sequence = commands::sequence(index, item);
                    let context = Context { sequence, now_ms: proposal.proposed_at_ms };
                    let tag = tags.next().and_then(Option::as_ref);
                    outcomes.push(apply_once(tables, calls, command, context, tag, index)?);
                }
                Ok(Applied { outcomes })
            }
            Change::Enroll(enroll) => {
                members::enroll(&mut tables.meta, enroll)?;
                Ok(Applied::default())
            }
            Change::EndRestoreHold => {
                tables.meta.remove(meta::RESTORED)?;
                Ok(Applied::default())
            }
            Change::BeginHistory(id) => {
                let mut history: History = meta::get(&tables.meta, meta::HISTORY)?.unwrap_or_default();
                history.mark(commands::sequence(index, 0), *id);
                meta::put(&mut tables.meta, meta::HISTORY, &history)?;
                Ok(Applied::default())
            }
            Change::NoteAbsences(noted) => {
                if let Some(map) = tables.map()? {
                    absences::note(&mut tables.meta, &map, noted)?;
                }
                Ok(Applied::default())
            }
        },
    }
}

/// Applies a command, unless it repeats one that was applied before.
fn apply_once(
    tables: &mut Tables<'_>,
    calls: &mut AppliedCalls,
    command: &StoredCommand,
    context: Context,
    tag: Option<&CallTag>,
    index: u64,
) -> Result<Option<Result<Outcome, Rejection>>, StoreError> {
    let Some(tag) = tag else { return commands::apply(tables, command, context).map(Some) };
    match calls.look(tag, index) {
        Standing::Applied(outcome) => Ok(Some(outcome)),
        Standing::Forgotten => Ok(None),
        Standing::Fresh => {
            let outcome = commands::apply(tables, command, context)?;
            calls.remember(tag, &outcome);
            Ok(Some(outcome))
        }
    }
}

/// Refuses a state of another release (I30). Writes the version of a new state.
fn check_format(tables: &mut Tables<'_>) -> Result<(), StoreError> {
    match meta::get::<u32>(&tables.meta, meta::FORMAT)? {
        Some(STATE_FORMAT) => Ok(()),
        Some(found) => Err(other_format("the state", found)),
        None => meta::put(&mut tables.meta, meta::FORMAT, &STATE_FORMAT),
    }
}

/// The error for `what`, whose state has the format `found`, which is not this release's.
pub(crate) fn other_format(what: &'static str, found: u32) -> StoreError {
    let known = STATE_FORMAT;
    if found > known { StoreError::Newer { what, found, known } } else { StoreError::Older { what, found, known } }
}

fn touches_map(entry: &Entry) -> bool {
    let proposal: &Proposal = match &entry.payload {
        EntryPayload::Normal(proposal) => proposal,
        EntryPayload::Blank | EntryPayload::Membership(_) => return false,
    };
    match &proposal.change {
        Change::Bootstrap(_) => true,
        Change::Batch(batch, _) => batch.iter().any(commands::changes_map),
        Change::Enroll(_) | Change::EndRestoreHold | Change::BeginHistory(_) | Change::NoteAbsences(_) => false,
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
    let commit =
        applied.map_or(CommitSequence(0), |id| commands::sequence(id.index, commands::COMMANDS_PER_ENTRY_MAX - 1));
    let map = cluster_map::get(&view.cluster_map()?)?.map(Arc::new);
    Ok(Published { database, applied, commit, map })
}

/// Makes a rename in the directory of `path` durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let file = std::fs::File::open(directory).map_err(|e| StoreError::file(directory, e))?;
    file.sync_all().map_err(|e| StoreError::file(directory, e))
}
