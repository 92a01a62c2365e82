//! The real threads.

use std::io;

use cairn_core::threads::{Join, ThreadBody, Threads, join_of};

/// Threads of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemThreads;

impl Threads for SystemThreads {
    #[expect(clippy::disallowed_methods, reason = "the one source of threads in a process")]
    fn spawn(&self, name: &str, body: ThreadBody) -> io::Result<Join> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(join_of(thread))
    }
}
