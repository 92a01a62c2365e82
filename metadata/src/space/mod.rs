//! Room on the filesystem that a member's files lie on.
//!
//! A member keeps a reserve free. One half of it is allocated to a file that is given up when the filesystem is full, whoever
//! filled it; the other half is never taken by what makes the state grow. Below the reserve such commands are refused before
//! they are proposed, and deletions, repair and Raft's own entries go on. If even the file is used up, whoever writes the log
//! or the state waits until there is room, and so may reads of the state: nothing has failed then, and nothing has to be
//! restarted.

mod ballast;
mod database;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod unsynced;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::ThreadId;
use std::time::Duration;

use cairn_core::sync::IgnorePoison;

use crate::error::NoRoom;
use ballast::Ballast;
pub(crate) use database::open;
#[cfg(test)]
use database::with_backend;

/// The reserve where none is set: this part of the filesystem, within these bounds.
const RESERVE_FRACTION: u64 = 100;
const RESERVE_BYTES_MIN: u64 = 64 << 20;
const RESERVE_BYTES_MAX: u64 = 256 << 20;
/// Below this part of the reserve nothing is proposed or appended any more: what is left is for votes.
const LAST_FRACTION: u64 = 8;
/// Time between two attempts to write while there is no room.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Room {
    /// The reserve is used up.
    Exhausted = 0,
    /// Less than the reserve is free.
    Short = 1,
    Enough = 2,
}

/// The room of one member.
#[derive(Debug)]
pub(crate) struct Space {
    dir: PathBuf,
    reserve_bytes: u64,
    ballast: Ballast,
    free_bytes: AtomicU64,
    /// A [`Room`], as it was seen last.
    room: AtomicU8,
    /// Writers that wait for room.
    waiting: AtomicU32,
    /// Threads whose writes wait for room. Those of others fail.
    patient: Mutex<HashSet<ThreadId>>,
    /// Whether nobody may wait any more.
    closed: Mutex<bool>,
    closing: Condvar,
    retry_pause: Duration,
}

impl Space {
    /// The room in `dir`, of which `reserve_bytes` are kept free; 0 for 1 % of the filesystem, at least 64 and at most
    /// 256 MiB.
    pub(crate) fn of(dir: &Path, reserve_bytes: u64) -> Arc<Self> {
        let reserve_bytes = if reserve_bytes > 0 { reserve_bytes } else { default_reserve(dir) };
        let space = Self {
            dir: dir.to_owned(),
            reserve_bytes,
            ballast: Ballast::of(dir, reserve_bytes / 2),
            free_bytes: AtomicU64::new(u64::MAX),
            room: AtomicU8::new(Room::Enough as u8),
            waiting: AtomicU32::new(0),
            patient: Mutex::default(),
            closed: Mutex::default(),
            closing: Condvar::new(),
            retry_pause: RETRY_PAUSE,
        };
        Arc::new(space)
    }

    /// How much room there is, as it was seen last.
    pub(crate) fn room(&self) -> Room {
        match self.room.load(Ordering::Acquire) {
            _ if self.is_waiting() => Room::Exhausted,
            0 => Room::Exhausted,
            1 => Room::Short,
            _ => Room::Enough,
        }
    }

    /// Whether the log or the state waits for room.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Looks how much room there is. Takes about a microsecond on a local filesystem.
    pub(crate) fn look(&self) {
        let Some(free) = free_bytes(&self.dir) else { return };
        self.free_bytes.store(free, Ordering::Release);
        let now = self.judge(free);
        let before = self.room.swap(now as u8, Ordering::AcqRel);
        if before != now as u8 {
            self.report(now);
        }
    }

    /// Looks how much room there is, and sets the ballast aside where it was given up and there is room again.
    pub(crate) fn keep(&self) {
        let has_room = free_bytes(&self.dir).is_some_and(|free| free >= self.reserve_bytes);
        if has_room && !self.is_waiting() && !self.ballast.is_held() {
            self.ballast.make();
        }
        self.look();
    }

    /// Gives the ballast up where a member could not even open its files. For a start.
    pub(crate) fn make_way(&self) {
        let is_full = free_bytes(&self.dir).is_some_and(|free| free < self.reserve_bytes / LAST_FRACTION);
        if is_full && self.ballast.give_up() {
            tracing::warn!(dir = %self.dir.display(), "the filesystem of the metadata is full; its reserve is used to start");
        }
    }

    /// Refuses what needs more room than `least`.
    pub(crate) fn demand(&self, least: Room) -> Result<(), NoRoom> {
        if self.room() >= least { Ok(()) } else { Err(self.no_room()) }
    }

    /// Refuses to write `bytes` beside the log and the state if the reserve would be touched.
    pub(crate) fn demand_bytes(&self, bytes: u64) -> Result<(), NoRoom> {
        self.look();
        let free = self.free_bytes.load(Ordering::Acquire);
        let fits = free >= (self.reserve_bytes / 2).saturating_add(bytes);
        if fits { self.demand(Room::Enough) } else { Err(self.no_room()) }
    }

    fn no_room(&self) -> NoRoom {
        let (dir, free_bytes) = (self.dir.display().to_string(), self.free_bytes.load(Ordering::Acquire));
        NoRoom { dir, free_bytes, reserve_bytes: self.reserve_bytes }
    }

    fn judge(&self, free: u64) -> Room {
        let held = self.ballast.held_bytes();
        if free.saturating_add(held) >= self.reserve_bytes && free >= self.reserve_bytes / 2 {
            Room::Enough
        } else if held > 0 || free >= self.reserve_bytes / LAST_FRACTION {
            Room::Short
        } else {
            Room::Exhausted
        }
    }

    fn report(&self, now: Room) {
        let dir = self.dir.display();
        let state = self.no_room();
        match now {
            Room::Enough => tracing::info!(%dir, "the metadata has room again; it takes everything"),
            Room::Short => tracing::error!(
                %dir, "{state}. Until then nothing new is stored (503); reads, deletions and repair go on"
            ),
            Room::Exhausted => {
                tracing::error!(%dir, "{state}. The reserve is used up: nothing is stored or deleted, and reads may wait");
            }
        }
    }

    /// While the result lives, writes of this thread wait for room instead of failing.
    pub(crate) fn wait_here(self: &Arc<Self>) -> Patience {
        let thread = std::thread::current().id();
        let was_new = self.patient.lock().ignore_poison().insert(thread);
        Patience { space: Arc::clone(self), thread: was_new.then_some(thread) }
    }

    /// Lets nobody wait any more: what waits fails. For the end of a member.
    pub(crate) fn close(&self) {
        *self.closed.lock().ignore_poison() = true;
        self.closing.notify_all();
    }

    /// Repeats `attempt` while there is no room for it, if this thread waits.
    fn when_there_is_room<T>(&self, mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
        let mut waiting = None;
        loop {
            match attempt() {
                Err(error) if is_no_room(&error) && self.waits_here() => {
                    if self.ballast.give_up() {
                        tracing::warn!(dir = %self.dir.display(), %error, "a write of the metadata is repeated");
                        self.look();
                        continue;
                    }
                    waiting.get_or_insert_with(|| Waiting::begin(self, &error));
                    if self.pause() {
                        return Err(error);
                    }
                }
                done => return done,
            }
        }
    }

    fn waits_here(&self) -> bool {
        self.patient.lock().ignore_poison().contains(&std::thread::current().id())
    }

    /// Waits a moment; tells whether there is no more time to wait.
    fn pause(&self) -> bool {
        let closed = self.closed.lock().ignore_poison();
        if *closed {
            return true;
        }
        *self.closing.wait_timeout(closed, self.retry_pause).ignore_poison().0
    }
}

/// See [`Space::wait_here`].
pub(crate) struct Patience {
    space: Arc<Space>,
    thread: Option<ThreadId>,
}

impl Drop for Patience {
    fn drop(&mut self) {
        if let Some(thread) = self.thread {
            self.space.patient.lock().ignore_poison().remove(&thread);
        }
    }
}

/// A writer that waits.
struct Waiting<'a>(&'a Space);

impl<'a> Waiting<'a> {
    fn begin(space: &'a Space, error: &io::Error) -> Self {
        space.waiting.fetch_add(1, Ordering::AcqRel);
        tracing::error!(
            dir = %space.dir.display(), %error,
            "the filesystem of the metadata is full: nothing is written until there is room; the member goes on by itself then"
        );
        Self(space)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::AcqRel);
        self.0.look();
    }
}

/// Whether a write failed for want of room or quota only: the same write may succeed later.
fn is_no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Bytes that are free in the filesystem of `dir`; `None` if the system does not say.
pub(crate) fn free_bytes(dir: &Path) -> Option<u64> {
    let space = rustix::fs::statvfs(dir).ok()?;
    Some(space.f_bavail.saturating_mul(space.f_frsize))
}

fn default_reserve(dir: &Path) -> u64 {
    let size = rustix::fs::statvfs(dir).map_or(0, |space| space.f_blocks.saturating_mul(space.f_frsize));
    (size / RESERVE_FRACTION).clamp(RESERVE_BYTES_MIN, RESERVE_BYTES_MAX)
}
