//! Real sockets, for tests.

use std::io;
use std::net::SocketAddr;

use async_trait::async_trait;
use tokio::net::{TcpListener, TcpStream};

use crate::net::connect::Connect;
use crate::net::listen::{Listen, Listener};
use crate::net::stream::BoxedStream;

/// TCP without a time limit for connecting, which the loopback interface does not need.
#[derive(Debug, Clone, Copy, Default)]
pub struct LoopbackNetwork;

#[async_trait]
impl Connect for LoopbackNetwork {
    #[expect(clippy::disallowed_methods, reason = "tests connect for real here")]
    async fn connect(&self, addr: &str) -> io::Result<BoxedStream> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

#[async_trait]
impl Listen for LoopbackNetwork {
    #[expect(clippy::disallowed_methods, reason = "tests listen for real here")]
    async fn bind(&self, addr: &str) -> io::Result<Box<dyn Listener>> {
        Ok(Box::new(Bound(TcpListener::bind(addr).await?)))
    }
}

struct Bound(TcpListener);

#[async_trait]
impl Listener for Bound {
    async fn accept(&self) -> io::Result<BoxedStream> {
        let (stream, _) = self.0.accept().await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}
