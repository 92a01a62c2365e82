//! The Raft log and vote in one redb file. Entries being written, and those written recently, are served from memory.

mod raft_storage;
mod sizes;
#[cfg(test)]
mod tests;

use cairn_core::sync::IgnorePoison;
use cairn_core::threads::Threads;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use redb::{Database, ReadableDatabase, ReadableTable, Table};

use crate::error::StoreError;
use crate::raft::codec::{LogIdRow, VoteRow};
use crate::raft::entry::EntryRow;
use crate::raft::log_writer::{
    self, COMMITTED, FORMAT, Job, LOG, LOG_FORMAT, PURGED, STATE, VOTE, Written, WrittenRow, read_state,
};
use crate::raft::types::{Entry, LogId, Vote};
use crate::space::{self, Space};
use crate::state::stored::encoded_bytes;
use crate::state::tables::Row;
use sizes::Sizes;

/// Entries kept in memory after they were written: they are about to be applied or replicated.
const CACHED_ENTRIES_MAX: usize = 32;
/// Encoded bytes of the entries that one read for replication returns; a larger entry comes alone. So a message between
/// members never exceeds [`crate::raft::message::MESSAGE_BYTES_MAX`].
const READ_BYTES_MAX: usize = 4 << 20;
/// Page cache of the file, in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogStore {
    file: Arc<LogFile>,
    shared: Arc<Shared>,
    jobs: Sender<Job>,
}

/// The open file. The token is dropped after the database is closed.
struct LogFile {
    database: Database,
    open: Arc<()>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct LogEnd {
    pub(crate) term: u64,
    pub(crate) index: u64,
}

struct Shared {
    tail: Mutex<Tail>,
}

/// What is known of the log without reading it.
#[derive(Default)]
struct Tail {
    entries: BTreeMap<u64, Entry>,
    /// Of the rows on disk.
    sizes: Sizes,
    /// Entries up to this index are on disk.
    written: u64,
    last: Option<LogId>,
    purged: Option<LogId>,
    committed: Option<LogId>,
    vote: Option<Vote>,
}

impl Shared {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().ignore_poison()
    }
}

impl Written for Shared {
    fn committed(&self) -> Option<LogId> {
        self.tail().committed
    }

    fn written(&self, rows: &[WrittenRow]) {
        let Some(WrittenRow { index, .. }) = rows.last().copied() else { return };
        let mut tail = self.tail();
        for row in rows {
            tail.sizes.append(row.index, row.bytes);
        }
        tail.written = index;
        while tail.entries.len() > CACHED_ENTRIES_MAX
            && let Some(first) = tail.entries.first_entry()
            && *first.key() <= index
        {
            first.remove();
        }
    }
}

impl LogStore {
    /// Opens the log in `path`; creates it if `create` is set.
    pub(crate) fn open(
        path: &Path,
        create: bool,
        threads: &dyn Threads,
        space: &Arc<Space>,
    ) -> Result<Self, StoreError> {
        Self::on(space::open(path, create, CACHE_BYTES, space)?, threads, space)
    }

    /// The log in an open file.
    pub(in crate::raft) fn on(
        database: Database,
        threads: &dyn Threads,
        space: &Arc<Space>,
    ) -> Result<Self, StoreError> {
        let transaction = log_writer::begin(&database)?;
        let tail = {
            let log = transaction.open_table(LOG)?;
            let mut state = transaction.open_table(STATE)?;
            check_format(&mut state)?;
            let purged: Option<LogId> = read_state::<LogIdRow>(&state, PURGED)?.map(Into::into);
            let last = match log.last()? {
                Some((_, row)) => Some(Entry::from(EntryRow::read(row.value())?).log_id),
                None => purged,
            };
            check_holes(&log, purged)?;
            let committed = read_state::<LogIdRow>(&state, COMMITTED)?.map(Into::into);
            let vote = read_state::<VoteRow>(&state, VOTE)?.map(Into::into);
            let sizes = measure(&log)?;
            Tail {
                entries: BTreeMap::new(),
                sizes,
                written: last.map_or(0, |id| id.index),
                last,
                purged,
                committed,
                vote,
            }
        };
        transaction.commit()?;
        let file = Arc::new(LogFile { database, open: Arc::new(()) });
        let shared = Arc::new(Shared { tail: Mutex::new(tail) });
        let (jobs, queue) = channel();
        let (for_writer, written) = (Arc::clone(&file), Arc::clone(&shared) as Arc<dyn Written>);
        let room = Arc::clone(space);
        let writer = Box::new(move || log_writer::run(&for_writer.database, &queue, &written, &room));
        // The thread ends by itself once all senders are gone; `open_token` tells when the file is closed.
        let _joined_by_nobody = threads.spawn("metadata-log", writer).map_err(|e| StoreError::Thread(e.to_string()))?;
        Ok(Self { file, shared, jobs })
    }

    /// Creates a log that ends with `applied` and holds no entries: everything before it is in the state.
    pub(crate) fn begin_at(path: &Path, applied: LogId, vote: Vote) -> Result<(), StoreError> {
        let database = Database::builder().create(path)?;
        let transaction = log_writer::begin(&database)?;
        {
            transaction.open_table(LOG)?;
            let mut state = transaction.open_table(STATE)?;
            check_format(&mut state)?;
            state.insert(PURGED, LogIdRow::from(applied).to_bytes().as_slice())?;
            state.insert(COMMITTED, LogIdRow::from(applied).to_bytes().as_slice())?;
            state.insert(VOTE, VoteRow::from(vote).to_bytes().as_slice())?;
        }
        transaction.commit()?;
        Ok(())
    }

    pub(crate) fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, StoreError> {
        self.read(start, end, usize::MAX)
    }

    /// Whether the log has never held a vote or an entry.
    pub(crate) fn is_pristine(&self) -> bool {
        let tail = self.shared.tail();
        tail.vote.is_none() && tail.last.is_none()
    }

    /// The term of the last vote and the index of the last entry.
    pub(crate) fn end(&self) -> LogEnd {
        let tail = self.shared.tail();
        LogEnd { term: tail.vote.map_or(0, |vote| vote.leader_id.term), index: tail.last.map_or(0, |last| last.index) }
    }

    /// The last entry, present or purged.
    pub(crate) fn last(&self) -> Option<LogId> {
        self.shared.tail().last
    }

    #[cfg(test)]
    pub(in crate::raft) fn vote(&self) -> Option<Vote> {
        self.shared.tail().vote
    }

    /// The last entry that was purged.
    pub(crate) fn purged(&self) -> Option<LogId> {
        self.shared.tail().purged
    }

    /// Bytes of all entries, to within some 64 KiB.
    #[cfg(test)]
    fn bytes(&self) -> u64 {
        self.shared.tail().sizes.total()
    }

    /// Bytes of the entries behind `index`, to within some 64 KiB.
    pub(crate) fn bytes_behind(&self, index: u64) -> u64 {
        self.shared.tail().sizes.behind(index)
    }

    /// The first entry to keep, so that it and those behind it have at most `bytes`; `None` if all of them fit.
    pub(crate) fn first_within(&self, bytes: u64) -> Option<u64> {
        self.shared.tail().sizes.first_within(bytes)
    }

    /// A token that can no longer be upgraded once the file is closed.
    pub(crate) fn open_token(&self) -> Weak<()> {
        Arc::downgrade(&self.file.open)
    }

    /// Reads the entries of `start..end`, from disk where they are not in memory; stops after `limit` bytes.
    fn read(&self, start: u64, end: u64, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let (cached, from_disk) = {
            let tail = self.shared.tail();
            let first = tail.entries.first_key_value().map_or(u64::MAX, |(index, _)| *index).max(start);
            let cached: Vec<Entry> =
                if first < end { tail.entries.range(first..end).map(|(_, e)| e.clone()).collect() } else { Vec::new() };
            (cached, start..end.min(first))
        };
        let mut entries = Vec::new();
        let mut bytes = 0;
        if !from_disk.is_empty() {
            let log = self.file.database.begin_read()?.open_table(LOG)?;
            for row in log.range(from_disk)? {
                let (_, row) = row?;
                bytes += row.value().len();
                if bytes > limit && !entries.is_empty() {
                    return Ok(entries);
                }
                entries.push(EntryRow::read(row.value())?.into());
            }
        }
        if limit == usize::MAX {
            entries.extend(cached);
            return Ok(entries);
        }
        for entry in cached {
            bytes += encoded_bytes(&EntryRow::from(&entry));
            if bytes > limit && !entries.is_empty() {
                break;
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// Refuses a log of a newer release, and writes the version of a new one.
fn check_format(state: &mut Table<'_, &'static str, &'static [u8]>) -> Result<(), StoreError> {
    match read_state::<u32>(state, FORMAT)? {
        Some(found) if found > LOG_FORMAT => Err(StoreError::Newer { what: "the log", found, known: LOG_FORMAT }),
        Some(_) => Ok(()),
        None => {
            state.insert(FORMAT, LOG_FORMAT.to_bytes().as_slice())?;
            Ok(())
        }
    }
}

/// Refuses a log with missing entries: what follows a hole must never be applied.
fn check_holes(log: &impl ReadableTable<u64, &'static [u8]>, purged: Option<LogId>) -> Result<(), StoreError> {
    let (Some((first, _)), Some((last, _))) = (log.first()?, log.last()?) else { return Ok(()) };
    let (first, last, expected) = (first.value(), last.value(), purged.map_or(0, |id| id.index + 1));
    let held = log.len()?;
    if first == expected && held == last - first + 1 {
        return Ok(());
    }
    let detail = format!(
        "it should hold entries {expected} to {last} and holds {held}, the first of them {first}: entries are missing"
    );
    Err(StoreError::Damaged { table: "log", detail })
}

fn measure(log: &impl ReadableTable<u64, &'static [u8]>) -> Result<Sizes, StoreError> {
    let mut sizes = Sizes::default();
    for row in log.iter()? {
        let (index, row) = row?;
        sizes.append(index.value(), row.value().len() as u64);
    }
    Ok(sizes)
}
