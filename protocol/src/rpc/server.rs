//! The receiving end of internal calls, for any HTTP server with bodies of [`Bytes`].

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use minicbor::{Decode, Encode};

use super::auth::{RpcAuth, RpcAuthError};
use super::client::encode;
use super::names::{CBOR, X_CAIRN_MESSAGE};

/// A request that is refused, or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    /// For people.
    pub detail: String,
}

impl Refusal {
    fn malformed(detail: impl ToString) -> Self {
        Self { status: StatusCode::BAD_REQUEST, detail: detail.to_string() }
    }

    /// A response in plain text, by which the client knows that the call never reached the role.
    pub fn into_response<R: From<Bytes>>(self) -> Response<R> {
        let mut response = Response::new(R::from(Bytes::from(self.detail)));
        *response.status_mut() = self.status;
        response
    }
}

impl From<RpcAuthError> for Refusal {
    fn from(error: RpcAuthError) -> Self {
        let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::FORBIDDEN);
        Self { status, detail: error.to_string() }
    }
}

/// Authenticates a request whose body is a message of at most `bytes_max`, and reads the message.
pub async fn receive<M, B>(auth: &RpcAuth, request: Request<B>, bytes_max: usize) -> Result<M, Refusal>
where
    M: for<'b> Decode<'b, ()>,
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let payload = auth.verify(&parts)?;
    let body = Limited::new(body, bytes_max).collect().await.map_err(Refusal::malformed)?.to_bytes();
    RpcAuth::check_body(payload, &body)?;
    minicbor::decode(&body).map_err(Refusal::malformed)
}

/// Authenticates a request whose body is a stream, and reads the message from its header.
pub fn receive_head<M: for<'b> Decode<'b, ()>>(auth: &RpcAuth, parts: &Parts) -> Result<M, Refusal> {
    auth.verify(parts)?;
    let header =
        parts.headers.get(X_CAIRN_MESSAGE).ok_or_else(|| Refusal::malformed("the message header is missing"))?;
    let message = hex::decode(header.as_bytes()).map_err(Refusal::malformed)?;
    minicbor::decode(&message).map_err(Refusal::malformed)
}

/// The response to a call: 200 with the answer, or the error with its own status.
pub fn answer<A, E, R>(result: &Result<A, E>, status: impl FnOnce(&E) -> StatusCode) -> Response<R>
where
    A: Encode<()>,
    E: Encode<()>,
    R: From<Bytes>,
{
    let (status, body) = match result {
        Ok(answer) => (StatusCode::OK, encode(answer)),
        Err(error) => (status(error), encode(error)),
    };
    let mut response = Response::new(R::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(CBOR));
    response
}
