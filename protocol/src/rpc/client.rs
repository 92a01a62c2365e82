//! The transport that all internal clients share.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::clock::Clock;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use minicbor::{Decode, Encode};

use super::connector::Connector;
use super::names::{ACCESS_KEY, CBOR, REGION, SERVICE, X_CAIRN_MESSAGE};
use crate::net::Connect;
use crate::sigv4::{Credentials, PayloadMode, RequestTarget, Signer, SigningKeyCache};

/// Why an internal call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    /// The peer has seen nothing of the request.
    #[error("cannot connect to {addr}: {detail}")]
    NotConnected { addr: String, detail: String },
    /// The connection broke or the call timed out. The peer may have acted on the request.
    #[error("no answer from {addr}: {detail}")]
    Lost { addr: String, detail: String },
    /// The peer refused the request (signature, clock, path) and has not acted on it.
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

/// The body of an internal request.
pub type RpcBody = BoxBody<Bytes, std::io::Error>;

/// Signs and sends internal requests over pooled connections. Cheap to clone.
#[derive(Clone)]
pub struct RpcClient {
    http: Client<Connector, RpcBody>,
    identity: Arc<Identity>,
    clock: Arc<dyn Clock>,
}

struct Identity {
    credentials: Credentials,
    keys: SigningKeyCache,
}

/// An unused connection is closed after this time.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a refusal that go into the error's text.
const REFUSAL_BYTES_MAX: usize = 512;

impl RpcClient {
    /// A client that signs with the cluster's secret and connects over `network`.
    pub fn new(secret: &str, clock: Arc<dyn Clock>, network: Arc<dyn Connect>) -> Self {
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(Connector::new(network));
        let identity = Identity { credentials: Credentials::new(ACCESS_KEY, secret), keys: SigningKeyCache::new() };
        Self { http, identity: Arc::new(identity), clock }
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
        let payload = PayloadMode::of(&message);
        let body = Full::new(message).map_err(|never| match never {}).boxed();
        self.send(addr, path, (CONTENT_TYPE, HeaderValue::from_static(CBOR)), body, payload).await
    }

    /// Sends `message` in a signed header and `body` as a stream, which the signature does not cover. Returns as soon
    /// as the response's head has arrived.
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
        let message = HeaderValue::from_str(&hex::encode(encode(message)))
            .map_err(|e| RpcError::NotConnected { addr: addr.to_owned(), detail: e.to_string() })?;
        self.send(addr, path, (HeaderName::from_static(X_CAIRN_MESSAGE), message), body, PayloadMode::Unsigned).await
    }

    async fn send(
        &self,
        addr: &str,
        path: &str,
        header: (HeaderName, HeaderValue),
        body: RpcBody,
        payload: PayloadMode,
    ) -> Result<Response<Incoming>, RpcError> {
        let unsent = |detail: String| RpcError::NotConnected { addr: addr.to_owned(), detail };
        let mut request = Request::post(format!("http://{addr}{path}"))
            .header(header.0, header.1)
            .body(body)
            .map_err(|e| unsent(e.to_string()))?;
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let signer = Signer {
            credentials: &self.identity.credentials,
            region: REGION,
            service: SERVICE,
            keys: &self.identity.keys,
        };
        let target = RequestTarget { method: &method, uri: &uri };
        signer
            .sign_headers(target, request.headers_mut(), self.clock.now(), payload)
            .map_err(|e| unsent(e.to_string()))?;
        self.http.request(request).await.map_err(|e| {
            let detail = std::error::Error::source(&e).map_or_else(|| e.to_string(), ToString::to_string);
            let addr = addr.to_owned();
            if e.is_connect() { RpcError::NotConnected { addr, detail } } else { RpcError::Lost { addr, detail } }
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
