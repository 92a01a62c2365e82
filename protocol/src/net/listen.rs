//! Accepting connections.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;

use super::stream::BoxedStream;

/// Reserves addresses on which connections are accepted.
#[warn(missing_docs)]
#[async_trait]
pub trait Listen: Send + Sync + 'static {
    /// Reserves `addr` (`host:port`; port 0 chooses a free one). Fails if it is taken.
    async fn bind(&self, addr: &str) -> io::Result<Box<dyn Listener>>;
}

/// A reserved address. Dropping it frees the address; connections that were accepted stay open.
#[warn(missing_docs)]
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Waits for the next connection. Cancelling the wait loses none. An error concerns one connection or a passing
    /// shortage (of file descriptors, for example): the caller waits a moment and accepts again.
    async fn accept(&self) -> io::Result<BoxedStream>;

    /// The address with the port that was chosen.
    fn local_addr(&self) -> io::Result<SocketAddr>;
}
