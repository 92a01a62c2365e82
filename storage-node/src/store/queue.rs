//! A bounded queue between the callers and the threads of one disk.

use std::collections::VecDeque;
use std::time::Duration;

use super::primitives::{Condvar, Mutex, MutexGuard, PoisonError};

/// Why something was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PushError {
    /// As many items wait as may.
    Full,
    /// The disk is going out of service.
    Closed,
}

/// A queue that async callers push into without waiting and threads block on.
pub(super) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    ready: Condvar,
    items_max: usize,
}

struct Inner<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<T> Queue<T> {
    pub(super) fn new(items_max: usize) -> Self {
        let inner = Inner { items: VecDeque::new(), closed: false };
        Self { inner: Mutex::new(inner), ready: Condvar::new(), items_max }
    }

    fn locked(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item, unless the queue is full or closed. The item is dropped then, which its caller notices.
    pub(super) fn push(&self, item: T) -> Result<(), PushError> {
        let mut inner = self.locked();
        if inner.closed {
            return Err(PushError::Closed);
        }
        if inner.items.len() >= self.items_max {
            return Err(PushError::Full);
        }
        inner.items.push_back(item);
        drop(inner);
        self.ready.notify_one();
        Ok(())
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.locked().items.is_empty()
    }

    /// Waits for items and takes as many as there are, up to `most`. False once the queue is closed and empty.
    pub(super) fn drain(&self, most: usize, into: &mut Vec<T>) -> bool {
        let mut inner = self.locked();
        while inner.items.is_empty() {
            if inner.closed {
                return false;
            }
            inner = self.ready.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
        let count = inner.items.len().min(most);
        into.extend(inner.items.drain(..count));
        true
    }

    /// As [`Queue::drain`], but returns after `limit` also without items.
    pub(super) fn drain_for(&self, limit: Duration, into: &mut Vec<T>) -> bool {
        let mut inner = self.locked();
        if inner.items.is_empty() && !inner.closed {
            inner = self.ready.wait_timeout(inner, limit).unwrap_or_else(PoisonError::into_inner).0;
        }
        into.extend(inner.items.drain(..));
        !(into.is_empty() && inner.closed)
    }

    /// Waits for one item. Nothing once the queue is closed and empty.
    pub(super) fn pop(&self) -> Option<T> {
        let mut one = Vec::with_capacity(1);
        self.drain(1, &mut one);
        one.pop()
    }

    /// Takes no more items, and drops those that wait: nobody is there to take them.
    pub(super) fn abort(&self) {
        let items = {
            let mut inner = self.locked();
            inner.closed = true;
            std::mem::take(&mut inner.items)
        };
        // Outside the lock: what an item does when it is dropped may touch queues.
        drop(items);
        self.ready.notify_all();
    }

    /// Takes no more items; those that wait are still handed out.
    pub(super) fn close(&self) {
        self.locked().closed = true;
        self.ready.notify_all();
    }
}
