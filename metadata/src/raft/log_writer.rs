//! The one thread that writes the log. It makes all writes of votes and entries, one after the other, and syncs each
//! before answering it (I3). After a failed write it writes nothing more (I2); for room it waits instead ([`crate::space`]).

use std::io;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use openraft::storage::LogFlushed;
use redb::{Database, Durability, ReadableTable, TableDefinition, WriteTransaction};
use tokio::sync::oneshot;

use super::codec::{LogIdRow, VoteRow};
use super::entry::EntryRow;
use super::types::{Entry, LogId, TypeConfig, Vote};
use crate::error::StoreError;
use crate::space::Space;
use crate::state::tables::Row;

/// Log index → entry.
pub(super) const LOG: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("log");
/// Vote, committed index, last purged index and format version.
pub(super) const STATE: TableDefinition<'static, &'static str, &'static [u8]> = TableDefinition::new("state");
pub(super) const VOTE: &str = "vote";
pub(super) const COMMITTED: &str = "committed";
pub(super) const PURGED: &str = "purged";
pub(super) const FORMAT: &str = "format";

/// Version of the log's format. A newer one is refused, never treated as empty (I30).
pub(super) const LOG_FORMAT: u32 = 1;

impl Row for EntryRow {
    const TABLE: &'static str = "log";
}

impl Row for VoteRow {
    const TABLE: &'static str = "state";
}

pub(super) type Answer = oneshot::Sender<Result<(), io::Error>>;

pub(super) enum Job {
    Append(Vec<Entry>, LogFlushed<TypeConfig>),
    Vote(Vote, Answer),
    /// Removes all entries from this index on.
    Truncate(u64, Answer),
    /// Removes all entries up to this one.
    Purge(LogId, Answer),
}

/// What the writer shares with the log's readers.
pub(super) trait Written: Send + Sync + 'static {
    /// The committed log id to store with the next write.
    fn committed(&self) -> Option<LogId>;

    /// These entries are on disk and may leave the cache.
    fn written(&self, rows: &[WrittenRow]);
}

/// An entry on disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenRow {
    pub(super) index: u64,
    pub(super) bytes: u64,
}

/// Serves jobs until all senders are gone.
pub(super) fn run(database: &Database, jobs: &Receiver<Job>, shared: &Arc<dyn Written>, space: &Arc<Space>) {
    let _patience = space.wait_here();
    let mut failed: Option<String> = None;
    let mut committed = None;
    while let Ok(job) = jobs.recv() {
        let next = shared.committed();
        let result = match &failed {
            Some(reason) => Err(io::Error::other(reason.clone())),
            None => write(database, &Write::from(&job), (next != committed).then_some(next).flatten()).map_err(|error| {
                let reason = format!("the log takes no more writes since one failed: {error}");
                tracing::error!(%error, "writing the metadata log failed; restart the process once the cause is removed");
                failed = Some(reason.clone());
                io::Error::other(reason)
            }),
        };
        committed = next;
        // Before the answer: whoever hears it and proposes the next knows of the room that this one took.
        space.look();
        match job {
            Job::Append(entries, flushed) => {
                if let Ok(rows) = &result {
                    shared.written(rows);
                }
                drop(entries);
                flushed.log_io_completed(result.map(drop));
            }
            Job::Vote(_, answer) | Job::Truncate(_, answer) | Job::Purge(_, answer) => {
                // While the process shuts down nobody may be waiting for the answer.
                let _ = answer.send(result.map(drop));
            }
        }
    }
}

/// One change of the file.
#[derive(Debug)]
pub(super) enum Write<'a> {
    Append(&'a [Entry]),
    Vote(Vote),
    Truncate(u64),
    Purge(LogId),
}

impl<'a> From<&'a Job> for Write<'a> {
    fn from(job: &'a Job) -> Self {
        match job {
            Job::Append(entries, _) => Self::Append(entries),
            Job::Vote(vote, _) => Self::Vote(*vote),
            Job::Truncate(from, _) => Self::Truncate(*from),
            Job::Purge(upto, _) => Self::Purge(*upto),
        }
    }
}

/// One transaction, synced once. Returns the rows that it added.
pub(super) fn write(
    database: &Database,
    change: &Write<'_>,
    committed: Option<LogId>,
) -> Result<Vec<WrittenRow>, StoreError> {
    let transaction = begin(database)?;
    let mut rows = Vec::new();
    {
        let mut log = transaction.open_table(LOG)?;
        let mut state = transaction.open_table(STATE)?;
        if let Some(committed) = committed {
            state.insert(COMMITTED, LogIdRow::from(committed).to_bytes().as_slice())?;
        }
        match change {
            Write::Append(entries) => {
                for entry in *entries {
                    let (index, row) = (entry.log_id.index, EntryRow::from(entry).to_bytes());
                    log.insert(index, row.as_slice())?;
                    rows.push(WrittenRow { index, bytes: row.len() as u64 });
                }
            }
            Write::Vote(vote) => {
                state.insert(VOTE, VoteRow::from(*vote).to_bytes().as_slice())?;
            }
            Write::Truncate(from) => log.retain_in(*from.., |_, _| false)?,
            Write::Purge(upto) => {
                state.insert(PURGED, LogIdRow::from(*upto).to_bytes().as_slice())?;
                log.retain_in(..=upto.index, |_, _| false)?;
            }
        }
    }
    transaction.commit()?;
    Ok(rows)
}

/// A write transaction that survives a crash at any point, also one during recovery.
pub(crate) fn begin(database: &Database) -> Result<WriteTransaction, StoreError> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.set_two_phase_commit(true);
    transaction.set_quick_repair(true);
    Ok(transaction)
}

pub(super) fn read_state<R: Row>(
    table: &impl ReadableTable<&'static str, &'static [u8]>,
    name: &str,
) -> Result<Option<R>, StoreError> {
    table.get(name)?.map(|row| R::read(row.value())).transpose()
}
