//! One disk as all its threads see it: its identity and files, how it is doing, and how its errors read.

use std::fmt::Display;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::DiskState;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::fault::classify;
use super::health::{Health, UnderWay};
use super::options::{STALL_LIMIT, StoreOptions};
use super::queue::PushError;
use super::volume_files::VolumeFiles;
use crate::disk_io::DiskIo;
use crate::format::DiskIdentity;

/// How a disk is doing, as the cluster sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskCondition {
    pub state: DiskState,
    /// Why the disk takes no shards, and what to do about it; empty if it takes them.
    pub reason: String,
}

/// A disk that was checked to be the right one and is locked against other processes.
pub(crate) struct Disk {
    pub(crate) identity: DiskIdentity,
    /// The directory, for messages.
    pub(crate) path: String,
    pub(crate) options: StoreOptions,
    pub(crate) io: Arc<dyn DiskIo>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) files: VolumeFiles,
    pub(crate) health: Health,
    /// Released when the last thread has ended.
    pub(crate) _lock: Box<dyn Send + Sync>,
}

impl Disk {
    pub(crate) fn error(&self, kind: StorageErrorKind, detail: impl Display) -> StorageError {
        StorageError::new(kind, self.identity.disk, format!("{}: {detail}", self.path))
    }

    /// The error for a failed I/O operation, which `what` names.
    pub(crate) fn io_error(&self, what: &str, error: &io::Error) -> StorageError {
        self.error(classify(error), format_args!("{what} failed: {error}"))
    }

    pub(crate) fn push_error(&self, error: PushError) -> StorageError {
        match error {
            PushError::Full => self.error(StorageErrorKind::Busy, "too many requests wait for this disk"),
            PushError::Closed => self.closing(),
        }
    }

    /// The error for a request that the disk's shutdown cut off: its outcome is unknown.
    pub(crate) fn closing(&self) -> StorageError {
        self.error(StorageErrorKind::Unreachable, "the disk is going out of service")
    }

    /// Why the disk takes no writes; `None` if it takes them.
    pub(crate) fn suspicion(&self) -> Option<&str> {
        self.health.suspicion.get().map(String::as_str)
    }

    /// An operation other than a read failed: if the disk is to blame, it takes no more writes.
    pub(crate) fn suspect(&self, what: &str, error: &io::Error) -> StorageError {
        let report = self.io_error(what, error);
        tracing::error!(disk = %self.identity.disk, "{report}");
        if report.kind == StorageErrorKind::Failed {
            let path = &self.path;
            self.takes_no_more(format!(
                "{what} failed on disk {path}: {error}; nothing new is stored here: check the kernel log and the \
                 hardware, then restart the node, or replace the disk"
            ));
        }
        report
    }

    /// A thread of the store panicked.
    pub(crate) fn suspect_store(&self) {
        let path = &self.path;
        self.takes_no_more(format!("the store of disk {path} stopped on a defect: restart the node"));
        tracing::error!(disk = %self.identity.disk, "the store stopped on a defect");
    }

    fn takes_no_more(&self, why: String) {
        // The first reason stays: what fails later follows from it.
        let _ = self.health.suspicion.set(why);
    }

    fn now_ms(&self) -> u64 {
        self.clock.monotonic().as_millis() as u64
    }

    /// A group write begins; it ends when the value is dropped.
    pub(crate) fn writing(&self) -> UnderWay<'_> {
        self.health.write.begin(self.now_ms())
    }

    /// A sync begins; it ends when the value is dropped.
    pub(crate) fn syncing(&self) -> UnderWay<'_> {
        self.health.sync.begin(self.now_ms())
    }

    /// How long a write or a sync has been under way, if that is too long (I24).
    fn stalled_for(&self) -> Option<Duration> {
        let began = [self.health.write.began_ms(), self.health.sync.began_ms()];
        let oldest = began.into_iter().flatten().min()?;
        let stalled = Duration::from_millis(self.now_ms().saturating_sub(oldest));
        (stalled >= STALL_LIMIT).then_some(stalled)
    }

    pub(crate) fn condition(&self) -> DiskCondition {
        let path = &self.path;
        if let Some(why) = self.suspicion() {
            return DiskCondition { state: DiskState::Suspect, reason: why.to_owned() };
        }
        if let Some(stalled) = self.stalled_for() {
            let seconds = stalled.as_secs();
            let reason = format!("disk {path} has not come back from a write for {seconds} s: check the hardware");
            return DiskCondition { state: DiskState::Suspect, reason };
        }
        if self.health.no_files_left.load(Ordering::Relaxed) {
            let reason = format!("the filesystem of {path} can hold no more files: remove some");
            return DiskCondition { state: DiskState::Full, reason };
        }
        if self.health.below_reserve.load(Ordering::Relaxed) {
            let reserve = self.options.reserve_bytes;
            let reason =
                format!("less than the reserve of {reserve} bytes is free at {path}: delete objects or add disks");
            return DiskCondition { state: DiskState::Full, reason };
        }
        DiskCondition { state: DiskState::Active, reason: String::new() }
    }
}
