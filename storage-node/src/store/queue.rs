//! A bounded queue between the callers and the threads of one disk.

use std::collections::VecDeque;
use std::time::Duration;

use cairn_core::sync::IgnorePoison;

use super::primitives::{Condvar, Mutex, MutexGuard};

/// Why something was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushError {
    /// As many items wait as are allowed.
    Full,
    /// The disk is going out of service.
    Closed,
}

/// A queue that async callers push into without waiting, and that threads block on.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    ready: Condvar,
    items_max: usize,
    workers_max: usize,
}

struct Inner<T> {
    items: VecDeque<T>,
    closed: bool,
    /// Workers that have an item and did not call [`Worker::will_block`].
    working: usize,
}

impl<T> Queue<T> {
    pub(super) fn new(items_max: usize) -> Self {
        Self::with_workers(items_max, usize::MAX)
    }

    /// A queue of whose [`Worker`]s at most `workers_max` work at the same time; those that wait for a device do not count.
    pub(super) fn with_workers(items_max: usize, workers_max: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), closed: false, working: 0 };
        Self { inner: Mutex::new(inner), ready: Condvar::new(), items_max, workers_max }
    }

    fn locked(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().ignore_poison()
    }

    /// Adds an item, unless the queue is full or closed: then the item is dropped.
    pub(super) fn push(&self, item: T) -> Result<(), PushError> {
        let mut inner = self.locked();
        if inner.closed {
            return Err(PushError::Closed);
        }
        if inner.items.len() >= self.items_max {
            return Err(PushError::Full);
        }
        inner.items.push_back(item);
        let takers = inner.working < self.workers_max;
        drop(inner);
        if takers {
            self.ready.notify_one();
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.locked().items.is_empty()
    }

    /// Waits for items and takes all that wait, up to `most`. False once the queue is closed and empty.
    pub(super) fn drain(&self, most: usize, into: &mut Vec<T>) -> bool {
        let mut inner = self.locked();
        while inner.items.is_empty() {
            if inner.closed {
                return false;
            }
            inner = self.ready.wait(inner).ignore_poison();
        }
        let count = inner.items.len().min(most);
        into.extend(inner.items.drain(..count));
        true
    }

    /// As [`Queue::drain`], but returns after `limit` without items too.
    pub(super) fn drain_for(&self, limit: Duration, into: &mut Vec<T>) -> bool {
        let mut inner = self.locked();
        if inner.items.is_empty() && !inner.closed {
            inner = self.ready.wait_timeout(inner, limit).ignore_poison().0;
        }
        into.extend(inner.items.drain(..));
        !(into.is_empty() && inner.closed)
    }

    /// Waits for one item; `None` once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        let mut one = Vec::with_capacity(1);
        self.drain(1, &mut one);
        one.pop()
    }

    pub(super) fn worker(&self) -> Worker<'_, T> {
        Worker { queue: self, working: false }
    }

    /// Refuses further items and drops those that wait, because no thread takes them any more.
    pub(super) fn abort(&self) {
        let items = {
            let mut inner = self.locked();
            inner.closed = true;
            std::mem::take(&mut inner.items)
        };
        // Outside the lock: dropping an item may use queues.
        drop(items);
        self.ready.notify_all();
    }

    /// Refuses further items; those that wait are still taken.
    pub(super) fn close(&self) {
        self.locked().closed = true;
        self.ready.notify_all();
    }
}

/// One of many threads that take items one by one. Waking a thread costs more than most items, so only a few work at a time;
/// the others step in when those wait for a device.
pub(super) struct Worker<'a, T> {
    queue: &'a Queue<T>,
    working: bool,
}

impl<T> Worker<'_, T> {
    /// The last item is done; waits for the next. `None` once the queue is closed and empty.
    pub(super) fn next(&mut self) -> Option<T> {
        let mut inner = self.queue.locked();
        if std::mem::take(&mut self.working) {
            inner.working -= 1;
        }
        loop {
            if inner.items.is_empty() && inner.closed {
                // Others may have missed the end, because enough were working.
                self.queue.ready.notify_all();
                return None;
            }
            if inner.working < self.queue.workers_max
                && let Some(item) = inner.items.pop_front()
            {
                inner.working += 1;
                self.working = true;
                return Some(item);
            }
            inner = self.queue.ready.wait(inner).ignore_poison();
        }
    }

    /// This thread is about to wait for a device: another may work meanwhile.
    pub(super) fn will_block(&mut self) {
        if !std::mem::take(&mut self.working) {
            return;
        }
        let mut inner = self.queue.locked();
        inner.working -= 1;
        let waiting = !inner.items.is_empty();
        drop(inner);
        if waiting {
            self.queue.ready.notify_one();
        }
    }
}

impl<T> Drop for Worker<'_, T> {
    fn drop(&mut self) {
        self.will_block();
    }
}
