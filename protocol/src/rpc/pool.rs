//! Connections to other processes, kept for the next request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use cairn_core::clock::Clock;
use cairn_core::sync::IgnorePoison;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;

use super::channel::{ChannelError, ChannelKey, MessagePlace, Opener};
use super::names::X_CAIRN_TAG;
use crate::net::Connect;

/// The body of an internal request.
pub type RpcBody = BoxBody<Bytes, std::io::Error>;

/// An unused connection is closed after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Unused connections that are kept to one peer.
const IDLE_MAX: usize = 64;

/// A request, and what its tag covers beside its number.
pub(super) struct Unsigned<'a> {
    pub(super) request: Request<RpcBody>,
    pub(super) path: &'a str,
    pub(super) place: MessagePlace,
    pub(super) message: &'a [u8],
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum SendError {
    /// The peer has seen nothing of it.
    Unsent(String),
    /// The peer may have acted on it.
    Lost(String),
}

/// Opens channels, and keeps those that are not in use.
pub(super) struct Pool {
    network: Arc<dyn Connect>,
    clock: Arc<dyn Clock>,
    opener: Opener,
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    peers: HashMap<String, Vec<Connection>>,
    /// When connections were last looked through, on the monotonic clock.
    swept: Duration,
}

/// The calling end of a channel.
struct Connection {
    sender: SendRequest<RpcBody>,
    key: ChannelKey,
    /// Requests sent so far.
    sent: u64,
    /// When it was last used, on the monotonic clock.
    used: Duration,
}

impl Pool {
    /// The monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(super) fn new(network: Arc<dyn Connect>, clock: Arc<dyn Clock>, opener: Opener) -> Self {
        Self { network, clock, opener, idle: Mutex::default() }
    }

    /// A pool without connections that opens them as this one does.
    pub(super) fn empty_copy(&self) -> Self {
        Self::new(Arc::clone(&self.network), Arc::clone(&self.clock), self.opener.clone())
    }

    /// Sends a request to `addr`, and returns as soon as the response's head has arrived. The connection serves the next
    /// request once the response was read.
    pub(super) async fn send(&self, addr: &str, unsigned: Unsigned<'_>) -> Result<Response<Incoming>, SendError> {
        let Unsigned { mut request, path, place, message } = unsigned;
        let host = HeaderValue::from_str(addr).map_err(|e| SendError::Unsent(e.to_string()))?;
        request.headers_mut().insert(HOST, host);
        loop {
            let (mut connection, fresh) = match self.take(addr) {
                Some(connection) => (connection, false),
                None => (self.connect(addr).await.map_err(SendError::Unsent)?, true),
            };
            let tag = connection.key.tag(connection.sent, path, place, message);
            let tag = HeaderValue::from_str(&tag).map_err(|e| SendError::Unsent(e.to_string()))?;
            request.headers_mut().insert(X_CAIRN_TAG, tag);
            connection.sent += 1;
            match connection.sender.try_send_request(request).await {
                Ok(response) => {
                    self.keep(addr, connection);
                    return Ok(response);
                }
                // The peer had closed the connection before a byte of the request left: another one is as good.
                Err(mut unsent) => match unsent.take_message() {
                    Some(same) if !fresh => request = same,
                    Some(_) => return Err(SendError::Unsent(reason(unsent.error()))),
                    None => return Err(SendError::Lost(reason(unsent.error()))),
                },
            }
        }
    }

    async fn connect(&self, addr: &str) -> Result<Connection, String> {
        let stream = self.network.connect(addr).await.map_err(|e| e.to_string())?;
        let (stream, key) = self.opener.open(stream).await.map_err(|e: ChannelError| e.to_string())?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        // It ends when the peer closes it or its sender is dropped; every request learns of errors itself.
        tokio::spawn(connection);
        Ok(Connection { sender, key, sent: 0, used: self.clock.monotonic() })
    }

    /// The connection to `addr` that was used last, of those that are free.
    fn take(&self, addr: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().ignore_poison();
        idle.sweep(self.clock.monotonic());
        let connections = idle.peers.get_mut(addr)?;
        connections.retain(|connection| !connection.sender.is_closed());
        let free = connections.iter().rposition(|connection| connection.sender.is_ready())?;
        Some(connections.remove(free))
    }

    fn keep(&self, addr: &str, mut connection: Connection) {
        connection.used = self.clock.monotonic();
        let mut idle = self.idle.lock().ignore_poison();
        let connections = idle.peers.entry(addr.to_owned()).or_default();
        if connections.len() < IDLE_MAX {
            connections.push(connection);
        }
    }
}

impl Idle {
    /// Closes what was not used for a while. Looks at all connections no more than twice in that time.
    fn sweep(&mut self, now: Duration) {
        if now.saturating_sub(self.swept) < IDLE_TIMEOUT / 2 {
            return;
        }
        self.swept = now;
        self.peers.retain(|_, connections| {
            let unused = |connection: &Connection| now.saturating_sub(connection.used) >= IDLE_TIMEOUT;
            connections.retain(|connection| !connection.sender.is_closed() && !unused(connection));
            !connections.is_empty()
        });
    }
}

fn reason(error: &hyper::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}
