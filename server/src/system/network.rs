//! The real network.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use cairn_protocol::net::{BoxedStream, Connect, Listen, Listener};
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use tokio::net::TcpListener;
use tower_service::Service;

/// Time to establish a connection, after the name was resolved.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// TCP.
#[derive(Debug, Clone)]
pub struct SystemNetwork {
    /// hyper's own, because it tries all addresses of a name, IPv4 and IPv6 side by side.
    connector: HttpConnector,
}

impl SystemNetwork {
    /// Opens nothing yet.
    #[expect(clippy::disallowed_methods, reason = "the one network of the process")]
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        Self { connector }
    }
}

impl Default for SystemNetwork {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Connect for SystemNetwork {
    async fn connect(&self, addr: &str) -> io::Result<BoxedStream> {
        let uri: Uri = format!("http://{addr}").parse().map_err(io::Error::other)?;
        let mut connector = self.connector.clone();
        poll_fn(|context| connector.poll_ready(context)).await.map_err(io::Error::other)?;
        let stream = connector.call(uri).await.map_err(io::Error::other)?;
        Ok(Box::new(stream.into_inner()))
    }
}

#[async_trait]
impl Listen for SystemNetwork {
    #[expect(clippy::disallowed_methods, reason = "the one network of the process")]
    async fn bind(&self, addr: &str) -> io::Result<Box<dyn Listener>> {
        Ok(Box::new(SystemListener(TcpListener::bind(addr).await?)))
    }
}

struct SystemListener(TcpListener);

#[async_trait]
impl Listener for SystemListener {
    async fn accept(&self) -> io::Result<BoxedStream> {
        let (stream, _) = self.0.accept().await?;
        // Without it answers only wait a little longer; the connection works.
        let _ = stream.set_nodelay(true);
        Ok(Box::new(stream))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn connections_carry_bytes_and_a_free_port_refuses_them() {
        let network = SystemNetwork::new();
        let listener = network.bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        let (client, server) = tokio::join!(network.connect(&addr), listener.accept());
        let (mut client, mut server) = (client.unwrap(), server.unwrap());
        assert!(client.is_write_vectored() && server.is_write_vectored(), "the box passes vectored writes through");
        client.write_all(b"ping").await.unwrap();
        let mut received = [0; 4];
        server.read_exact(&mut received).await.unwrap();
        assert_eq!(&received, b"ping");
        drop(listener);
        assert!(network.connect(&addr).await.is_err());
    }
}
