//! Starting threads as a parameter.

use std::io;

/// What a thread runs. It ends by itself once its owner tells it to.
pub type ThreadBody = Box<dyn FnOnce() + Send>;

/// Waits until a thread has ended; `Err` holds the panic that ended it.
pub type Join = Box<dyn FnOnce() -> std::thread::Result<()> + Send>;

/// Starts threads. Only `server` has the real one; everything else is handed one, so that a test can run a whole cluster
/// where it wants to.
pub trait Threads: Send + Sync + 'static {
    /// Starts a thread called `name` (at most 15 bytes are shown by Linux). Errors: the system has no room for another.
    fn spawn(&self, name: &str, body: ThreadBody) -> io::Result<Join>;
}
