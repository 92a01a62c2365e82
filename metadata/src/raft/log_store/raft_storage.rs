//! The log as openraft drives it.

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{AnyError, ErrorSubject, ErrorVerb, LogState, RaftLogReader, StorageIOError};
use tokio::sync::oneshot;

use super::{LogStore, READ_BYTES_MAX};
use crate::error::StoreError;
use crate::raft::log_writer::{Answer, Job};
use crate::raft::types::{Entry, LogId, StorageError, TypeConfig, Vote};

impl LogStore {
    async fn submit(&self, job: impl FnOnce(Answer) -> Job) -> Result<(), StorageError> {
        let (answer, answered) = oneshot::channel();
        self.jobs.send(job(answer)).map_err(|_| write_error(&"the log's thread has ended"))?;
        let result = answered.await.map_err(|_| write_error(&"the log's thread has ended"))?;
        result.map_err(|e| write_error(&e))
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let start = match range.start_bound() {
            Bound::Included(n) => *n,
            Bound::Excluded(n) => n + 1,
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(n) => n + 1,
            Bound::Excluded(n) => *n,
            Bound::Unbounded => u64::MAX,
        };
        self.read(start, end, usize::MAX).map_err(|e| read_error(&e))
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        self.read(start, end, READ_BYTES_MAX).map_err(|e| read_error(&e))
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let tail = self.shared.tail();
        Ok(LogState { last_purged_log_id: tail.purged, last_log_id: tail.last })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = *vote;
        self.submit(|answer| Job::Vote(vote, answer)).await?;
        self.shared.tail().vote = Some(vote);
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.shared.tail().vote)
    }

    /// Costs no sync of its own: the next write stores it. Entries committed after that are committed again by the
    /// next leader, which serves no read before it has applied an entry of its own term.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        self.shared.tail().committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        Ok(self.shared.tail().committed)
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<TypeConfig>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        {
            let mut tail = self.shared.tail();
            for entry in &entries {
                tail.last = Some(entry.log_id);
                tail.entries.insert(entry.log_id.index, entry.clone());
            }
        }
        self.jobs.send(Job::Append(entries, callback)).map_err(|_| write_error(&"the log's thread has ended"))
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), StorageError> {
        self.submit(|answer| Job::Truncate(since.index, answer)).await?;
        let before = since.index.checked_sub(1);
        let last = before.map(|index| self.read(index, index + 1, usize::MAX)).transpose();
        let last = last.map_err(|e| read_error(&e))?.and_then(|entries| entries.first().map(|e| e.log_id));
        let mut tail = self.shared.tail();
        tail.entries.split_off(&since.index);
        tail.sizes.truncate(since.index);
        tail.last = last.or(tail.purged);
        tail.written = tail.last.map_or(0, |id| id.index);
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        self.submit(|answer| Job::Purge(upto, answer)).await?;
        let mut tail = self.shared.tail();
        tail.entries = tail.entries.split_off(&(upto.index + 1));
        tail.sizes.purge(upto.index);
        tail.purged = Some(upto);
        if tail.last < Some(upto) {
            tail.last = Some(upto);
        }
        Ok(())
    }
}

fn write_error(error: &impl std::fmt::Display) -> StorageError {
    StorageIOError::new(ErrorSubject::Logs, ErrorVerb::Write, AnyError::error(error)).into()
}

fn read_error(error: &StoreError) -> StorageError {
    StorageIOError::new(ErrorSubject::Logs, ErrorVerb::Read, AnyError::error(error)).into()
}
