//! Starting threads as a parameter.

use std::io;
use std::sync::Mutex;
use std::thread::JoinHandle;

use crate::sync::IgnorePoison;

/// What a thread runs. It returns when its owner asks it to.
pub type ThreadBody = Box<dyn FnOnce() + Send>;

/// Waits until a thread has ended; `Err` holds the panic that ended it.
pub type Join = Box<dyn FnOnce() -> std::thread::Result<()> + Send>;

/// Starts threads. Only `server` has the real one; all other code is given one, so that a test controls where a cluster
/// runs.
pub trait Threads: Send + Sync + 'static {
    /// Starts a thread called `name`, of which Linux shows 15 bytes. Fails if the system has no resources for another.
    fn spawn(&self, name: &str, body: ThreadBody) -> io::Result<Join>;
}

/// Threads whose owners went away without waiting for them.
static LEFT: Mutex<Vec<JoinHandle<()>>> = Mutex::new(Vec::new());

/// The way to wait for `thread`. If nobody does, it is joined once it has ended, when the next thread is started: glibc reads
/// a thread that is detached while it ends after it was freed (its bug 19951), so none is ever detached.
pub fn join_of(thread: JoinHandle<()>) -> Join {
    let mut left = LEFT.lock().ignore_poison();
    for ended in left.extract_if(.., |thread| thread.is_finished()) {
        // Nobody asks any more how it ended.
        let _ = ended.join();
    }
    drop(left);
    let owned = Owned(Some(thread));
    Box::new(move || owned.join())
}

struct Owned(Option<JoinHandle<()>>);

impl Owned {
    fn join(mut self) -> std::thread::Result<()> {
        self.0.take().map_or(Ok(()), JoinHandle::join)
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        LEFT.lock().ignore_poison().extend(self.0.take());
    }
}
