//! The transport that all internal clients share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::clock::Clock;
use cairn_core::random::RandomSource;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use minicbor::{Decode, Encode};

use super::channel::{MessagePlace, Opener};
use super::names::{CBOR, X_CAIRN_MESSAGE};
use super::pool::{Pool, RpcBody, SendError, Unsigned};
use super::roles::Roles;
use crate::net::Connect;

/// Why an internal call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The peer has seen nothing of the request: it is not there, or one end does not accept the other as of its cluster.
    #[error("cannot connect to {addr}: {detail}")]
    NotConnected { addr: String, detail: String },
    /// The connection broke or the call timed out. The peer may have acted on the request.
    #[error("no answer from {addr}: {detail}")]
    Lost { addr: String, detail: String },
    /// The peer refused the request (tag, role, path) and has not acted on it.
    #[error("{addr} refused the request with status {status}: {detail}")]
    Refused { addr: String, status: u16, detail: String },
    /// The answer cannot be read. The peer may have acted on the request.
    #[error("{addr} sent an unreadable answer: {detail}")]
    Malformed { addr: String, detail: String },
}

impl RpcError {
    /// Whether the peer certainly did not act on the request.
    pub const fn is_definite_no(&self) -> bool {
        matches!(self, Self::NotConnected { .. } | Self::Refused { .. })
    }
}

/// Who a process is to others.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The cluster's secret, which every process knows.
    pub secret: String,
    /// What the process does.
    pub roles: Roles,
}

/// Sends internal requests over pooled, authenticated connections. Cheap to clone.
#[derive(Clone)]
pub struct RpcClient {
    pool: Arc<Pool>,
}

/// Bytes of a refusal that go into the error's text.
const REFUSAL_BYTES_MAX: usize = 512;

impl RpcClient {
    /// A client that calls as `identity` and connects over `network`. The clock only closes unused connections.
    pub fn new(
        identity: &Identity,
        clock: Arc<dyn Clock>,
        random: Arc<dyn RandomSource>,
        network: Arc<dyn Connect>,
    ) -> Self {
        let opener = Opener::new(&identity.secret, identity.roles, random);
        Self { pool: Arc::new(Pool::new(network, clock, opener)) }
    }

    /// The same client with no connections yet, to find out whether a peer accepts new ones.
    #[must_use]
    pub fn over_new_connections(&self) -> Self {
        Self { pool: Arc::new(self.pool.empty_copy()) }
    }

    /// The monotonic clock.
    pub(super) fn now(&self) -> Duration {
        self.pool.now()
    }

    /// Sends `message` in CBOR to `http://{addr}{path}` and reads the answer: `A` if the peer succeeded, `E` if it
    /// reports why not. `limit` bounds the whole exchange.
    pub async fn call<M, A, E>(
        &self,
        addr: &str,
        path: &str,
        message: &M,
        limit: Duration,
    ) -> Result<Result<A, E>, RpcError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
        E: for<'b> Decode<'b, ()>,
    {
        let exchange = async {
            let response = self.send_message(addr, path, message).await?;
            read_answer(addr, response).await
        };
        within(limit, addr, exchange).await
    }

    /// Sends `message` in CBOR and returns as soon as the response's head has arrived.
    pub async fn send_message<M>(&self, addr: &str, path: &str, message: &M) -> Result<Response<Incoming>, RpcError>
    where
        M: Encode<()> + Sync,
    {
        let message = encode(message);
        let body = Full::new(message.clone()).map_err(|never| match never {}).boxed();
        let kind = (CONTENT_TYPE, HeaderValue::from_static(CBOR));
        self.send(addr, path, kind, body, (MessagePlace::Body, &message)).await
    }

    /// Sends `message` in a header and `body` as a stream, which the tag does not cover. Returns as soon as the
    /// response's head has arrived.
    pub async fn send_stream<M>(
        &self,
        addr: &str,
        path: &str,
        message: &M,
        body: RpcBody,
    ) -> Result<Response<Incoming>, RpcError>
    where
        M: Encode<()> + Sync,
    {
        let message = encode(message);
        let header = HeaderValue::from_str(&hex::encode(&message))
            .map_err(|e| RpcError::NotConnected { addr: addr.to_owned(), detail: e.to_string() })?;
        let header = (HeaderName::from_static(X_CAIRN_MESSAGE), header);
        self.send(addr, path, header, body, (MessagePlace::Header, &message)).await
    }

    async fn send(
        &self,
        addr: &str,
        path: &str,
        header: (HeaderName, HeaderValue),
        body: RpcBody,
        (place, message): (MessagePlace, &[u8]),
    ) -> Result<Response<Incoming>, RpcError> {
        let request = Request::post(path).header(header.0, header.1).body(body);
        let request = request.map_err(|e| RpcError::NotConnected { addr: addr.to_owned(), detail: e.to_string() })?;
        let sent = self.pool.send(addr, Unsigned { request, path, place, message }).await;
        sent.map_err(|error| match error {
            SendError::Unsent(detail) => RpcError::NotConnected { addr: addr.to_owned(), detail },
            SendError::Lost(detail) => RpcError::Lost { addr: addr.to_owned(), detail },
        })
    }
}

/// Bounds an exchange with `addr`.
pub(super) async fn within<T>(
    limit: Duration,
    addr: &str,
    exchange: impl Future<Output = Result<T, RpcError>>,
) -> Result<T, RpcError> {
    let late = |_| RpcError::Lost { addr: addr.to_owned(), detail: format!("timed out after {limit:?}") };
    tokio::time::timeout(limit, exchange).await.map_err(late)?
}

/// Reads a response whose body is one CBOR message.
pub(super) async fn read_answer<A, E>(addr: &str, response: Response<Incoming>) -> Result<Result<A, E>, RpcError>
where
    A: for<'b> Decode<'b, ()>,
    E: for<'b> Decode<'b, ()>,
{
    match split_answer(addr, response).await? {
        Ok(success) => decode(addr, &collect(addr, success).await?).map(Ok),
        Err(failure) => Ok(Err(failure)),
    }
}

/// Reads a response whose body is the outcome itself, because its head was sent before the outcome was known.
pub(super) async fn read_outcome<A, E>(addr: &str, response: Response<Incoming>) -> Result<Result<A, E>, RpcError>
where
    A: for<'b> Decode<'b, ()>,
    E: for<'b> Decode<'b, ()>,
{
    decode(addr, &collect(addr, response).await?)
}

/// Tells a success, whose body is still unread, from a failure that the peer reports and from a refusal.
pub(super) async fn split_answer<E>(
    addr: &str,
    response: Response<Incoming>,
) -> Result<Result<Response<Incoming>, E>, RpcError>
where
    E: for<'b> Decode<'b, ()>,
{
    let status = response.status();
    if status.is_success() {
        return Ok(Ok(response));
    }
    let described = response.headers().get(CONTENT_TYPE).is_some_and(|t| t.as_bytes() == CBOR.as_bytes());
    let body = collect(addr, response).await?;
    if described {
        return decode(addr, &body).map(Err);
    }
    let detail = String::from_utf8_lossy(body.get(..REFUSAL_BYTES_MAX).unwrap_or(&body)).into_owned();
    Err(RpcError::Refused { addr: addr.to_owned(), status: status.as_u16(), detail })
}

pub(super) async fn collect(addr: &str, response: Response<Incoming>) -> Result<Bytes, RpcError> {
    let lost = |e: hyper::Error| RpcError::Lost { addr: addr.to_owned(), detail: e.to_string() };
    Ok(response.into_body().collect().await.map_err(lost)?.to_bytes())
}

fn decode<T: for<'b> Decode<'b, ()>>(addr: &str, body: &[u8]) -> Result<T, RpcError> {
    minicbor::decode(body).map_err(|e| RpcError::Malformed { addr: addr.to_owned(), detail: e.to_string() })
}

/// A message as it is sent.
pub fn encode<M: Encode<()>>(message: &M) -> Bytes {
    let mut out = Vec::with_capacity(256);
    // Writing to a Vec cannot fail.
    let _ = minicbor::encode(message, &mut out);
    out.into()
}
