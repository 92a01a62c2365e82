//! Ports for servers.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// First port to try. All ports given out lie below 32768, where Linux's ephemeral ports begin, so that no
/// outgoing connection can take one between its choice and its use.
const FIRST: u16 = 10_000;
/// How many ports to try.
const COUNT: u16 = 22_000;
/// Ports for each test process: test runners start processes with consecutive ids, which get disjoint ports.
const PER_PROCESS: u32 = 64;

static USED: AtomicU16 = AtomicU16::new(0);

/// A free port on the loopback interface, given out only once in this process.
#[expect(clippy::disallowed_methods, reason = "asks the system whether a port is free")]
pub fn free_port() -> u16 {
    let base = (std::process::id().wrapping_mul(PER_PROCESS) % u32::from(COUNT)) as u16;
    for _ in 0..COUNT {
        let offset = USED.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + ((u32::from(base) + u32::from(offset)) % u32::from(COUNT)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}
