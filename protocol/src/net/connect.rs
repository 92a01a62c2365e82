//! Opening connections.

use std::io;

use async_trait::async_trait;

use super::stream::BoxedStream;

/// Opens connections to other processes.
#[warn(missing_docs)]
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Connects to `addr` (`host:port`). An error means that the peer has seen nothing. The implementation limits the
    /// time that this takes, and sends small writes at once (`TCP_NODELAY`).
    async fn connect(&self, addr: &str) -> io::Result<BoxedStream>;
}
