//! A network without sockets.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cairn_core::sync::IgnorePoison;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::net::connect::Connect;
use crate::net::listen::{Listen, Listener};
use crate::net::stream::BoxedStream;

/// Bytes in flight in each direction of a connection, about what a socket buffers.
const BUFFER_BYTES: usize = 64 << 10;
/// Connections that wait to be accepted at one address.
const BACKLOG: usize = 128;

/// Connects the listeners and clients that share it. Addresses are literal (`10.0.0.1:9002`); there are no names.
#[derive(Debug, Clone, Default)]
pub struct MemoryNetwork {
    bound: Arc<Mutex<HashMap<SocketAddr, mpsc::Sender<DuplexStream>>>>,
}

impl MemoryNetwork {
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Connect for MemoryNetwork {
    async fn connect(&self, addr: &str) -> io::Result<BoxedStream> {
        let addr = parse(addr)?;
        let listener = self.bound.lock().ignore_poison().get(&addr).cloned();
        let listener = listener.ok_or_else(|| refused(addr))?;
        let (near, far) = tokio::io::duplex(BUFFER_BYTES);
        listener.send(far).await.map_err(|_| refused(addr))?;
        Ok(Box::new(near))
    }
}

#[async_trait]
impl Listen for MemoryNetwork {
    async fn bind(&self, addr: &str) -> io::Result<Box<dyn Listener>> {
        let mut addr = parse(addr)?;
        let mut bound = self.bound.lock().ignore_poison();
        // A dropped listener has freed its address.
        bound.retain(|_, listener| !listener.is_closed());
        if addr.port() == 0 {
            let free = (1..=u16::MAX).find(|port| !bound.contains_key(&SocketAddr::new(addr.ip(), *port)));
            addr.set_port(free.ok_or(ErrorKind::AddrInUse)?);
        }
        if bound.contains_key(&addr) {
            return Err(ErrorKind::AddrInUse.into());
        }
        let (sender, waiting) = mpsc::channel(BACKLOG);
        bound.insert(addr, sender);
        Ok(Box::new(Bound { addr, waiting: tokio::sync::Mutex::new(waiting) }))
    }
}

struct Bound {
    addr: SocketAddr,
    waiting: tokio::sync::Mutex<mpsc::Receiver<DuplexStream>>,
}

#[async_trait]
impl Listener for Bound {
    async fn accept(&self) -> io::Result<BoxedStream> {
        // The network keeps a sender for as long as this listener lives, so there is always a next one to wait for.
        let stream = self.waiting.lock().await.recv().await.ok_or(ErrorKind::NotConnected)?;
        Ok(Box::new(stream))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.addr)
    }
}

fn parse(addr: &str) -> io::Result<SocketAddr> {
    addr.parse().map_err(|_| io::Error::new(ErrorKind::InvalidInput, format!("{addr} is not of the form ip:port")))
}

fn refused(addr: SocketAddr) -> io::Error {
    io::Error::new(ErrorKind::ConnectionRefused, format!("nobody listens on {addr}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_address_is_taken_until_its_listener_is_dropped() {
        let network = MemoryNetwork::new();
        let listener = network.bind("10.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap().to_string();
        assert_eq!(network.bind(&addr).await.err().unwrap().kind(), ErrorKind::AddrInUse);
        network.connect(&addr).await.unwrap();
        drop(listener);
        assert_eq!(network.connect(&addr).await.err().unwrap().kind(), ErrorKind::ConnectionRefused);
        network.bind(&addr).await.unwrap();
    }
}
