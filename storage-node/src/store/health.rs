//! How a disk is doing: what its threads noticed, for its state in the cluster.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What was noticed of a disk. Each field is written by one thread and read by all.
#[derive(Default)]
pub(crate) struct Health {
    /// Why the disk takes no writes any more.
    pub(crate) suspicion: OnceLock<String>,
    /// The group write under way.
    pub(crate) write: Started,
    /// The sync under way.
    pub(crate) sync: Started,
    /// Less than the reserve is free on the filesystem.
    pub(crate) below_reserve: AtomicBool,
    /// The filesystem can hold no more files.
    pub(crate) no_files_left: AtomicBool,
    /// The spare file for a full disk exists in its whole size.
    pub(crate) has_spare: AtomicBool,
    /// Bytes that the disk's files occupy.
    pub(crate) used_bytes: AtomicU64,
}

/// When an operation began that has not ended: monotonic milliseconds, zero for none.
#[derive(Default)]
pub(crate) struct Started(AtomicU64);

impl Started {
    /// An operation begins; it ends when the value is dropped.
    pub(crate) fn begin(&self, now_ms: u64) -> UnderWay<'_> {
        self.0.store(now_ms.max(1), Ordering::Relaxed);
        UnderWay(self)
    }

    pub(crate) fn began_ms(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|began| *began > 0)
    }
}

/// An operation under way.
pub(crate) struct UnderWay<'a>(&'a Started);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.0.store(0, Ordering::Relaxed);
    }
}
