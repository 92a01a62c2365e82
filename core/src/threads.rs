//! Starting threads as a parameter.

use std::io;

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
