//! Threads for tests.

use std::io;

use crate::threads::{Join, ThreadBody, Threads, join_of};

/// Threads of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct TestThreads;

impl Threads for TestThreads {
    #[expect(clippy::disallowed_methods, reason = "the threads of tests")]
    fn spawn(&self, name: &str, body: ThreadBody) -> io::Result<Join> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(join_of(thread))
    }
}
