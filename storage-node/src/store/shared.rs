//! What the threads of one disk share: the disk, its index, and the queues between them.

use std::sync::Arc;

use super::disk::Disk;
use super::index::Index;
use super::options::{LOG_QUEUE_MAX, READ_QUEUE_MAX, READERS_WORKING_MAX};
use super::queue::Queue;
use super::requests::{Ack, LogRequest, ReadRequest, StreamRequest};
use super::scrub_state::ScrubState;

/// One disk's store, as its threads see it.
pub(crate) struct Shared {
    pub(crate) disk: Arc<Disk>,
    pub(crate) index: Arc<Index>,
    pub(crate) log: Queue<LogRequest>,
    pub(crate) streams: Queue<StreamRequest>,
    pub(crate) syncs: Queue<Ack>,
    pub(crate) reads: Queue<ReadRequest>,
    pub(crate) scrub: ScrubState,
    /// Only its closing wakes the compaction thread: nothing is ever queued.
    pub(crate) compaction: Queue<()>,
}

impl Shared {
    pub(crate) fn new(disk: Arc<Disk>, index: Arc<Index>) -> Self {
        Self {
            scrub: ScrubState::new(disk.identity.disk),
            disk,
            index,
            log: Queue::new(LOG_QUEUE_MAX),
            // Bounded by the bytes and streams that are admitted.
            streams: Queue::new(usize::MAX),
            syncs: Queue::new(usize::MAX),
            reads: Queue::with_workers(READ_QUEUE_MAX, READERS_WORKING_MAX),
            compaction: Queue::new(0),
        }
    }

    /// Whether anybody waits for the disk: background work gives way then.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.reads.is_empty() || !self.log.is_empty()
    }

    /// Stops taking requests. Those that wait are still carried out.
    pub(crate) fn close(&self) {
        self.log.close();
        self.streams.close();
        self.syncs.close();
        self.reads.close();
        self.scrub.close();
        self.index.upkeep.close();
        self.compaction.close();
    }

    /// A thread of the store panicked: no caller may wait for it.
    fn abort(&self) {
        self.disk.suspect_store();
        self.log.abort();
        self.streams.abort();
        self.syncs.abort();
        self.reads.abort();
        self.scrub.close();
        self.index.upkeep.abort();
        self.compaction.abort();
    }
}

/// Ends the store when the thread that holds it panics.
pub(crate) struct EndOnPanic(pub(crate) Arc<Shared>);

impl Drop for EndOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abort();
        }
    }
}
