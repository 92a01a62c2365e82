//! The receiving end of internal calls, for any HTTP server with bodies of [`Bytes`].

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use minicbor::{Decode, Encode};

use super::channel::{MessagePlace, Origin};
use super::client::encode;
use super::names::{CBOR, X_CAIRN_MESSAGE, X_CAIRN_TAG};
use super::refusal::Refusal;
use super::rights::Rights;
use super::roles::Roles;

/// Reads a request whose body is a message of at most `bytes_max`, from a caller with one of the roles `allowed`.
pub async fn receive<M, B>(request: Request<B>, allowed: Roles, bytes_max: usize) -> Result<M, Refusal>
where
    M: for<'b> Decode<'b, ()>,
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (parts, body) = request.into_parts();
    let origin = origin(&parts, allowed)?;
    let body = Limited::new(body, bytes_max).collect().await.map_err(Refusal::malformed)?.to_bytes();
    verify(&parts, origin, MessagePlace::Body, &body)?;
    minicbor::decode(&body).map_err(Refusal::malformed)
}

/// Reads a request as [`receive`] does, from a caller that may send what it says.
pub async fn receive_allowed<M, B>(request: Request<B>, bytes_max: usize) -> Result<M, Refusal>
where
    M: for<'b> Decode<'b, ()> + Rights,
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let origin = request.extensions().get::<Origin>().cloned();
    let message: M = receive(request, Roles::ANY, bytes_max).await?;
    origin.ok_or_else(Refusal::unauthenticated)?.demand(message.senders(), "this message")?;
    Ok(message)
}

/// Reads the message of a request whose body is a stream from its header.
pub fn receive_head<M: for<'b> Decode<'b, ()>>(parts: &Parts, allowed: Roles) -> Result<M, Refusal> {
    let origin = origin(parts, allowed)?;
    let header =
        parts.headers.get(X_CAIRN_MESSAGE).ok_or_else(|| Refusal::malformed("the message header is missing"))?;
    let message = hex::decode(header.as_bytes()).map_err(Refusal::malformed)?;
    verify(parts, origin, MessagePlace::Header, &message)?;
    minicbor::decode(&message).map_err(Refusal::malformed)
}

/// Where the request came from. A request that came over no channel is refused (I22), and one whose caller has no right.
fn origin(parts: &Parts, allowed: Roles) -> Result<&Origin, Refusal> {
    let origin = parts.extensions.get::<Origin>();
    let origin = origin.ok_or_else(Refusal::unauthenticated)?;
    origin.demand(allowed, parts.uri.path())?;
    Ok(origin)
}

fn verify(parts: &Parts, origin: &Origin, place: MessagePlace, message: &[u8]) -> Result<(), Refusal> {
    let tag = parts.headers.get(X_CAIRN_TAG);
    let tag = tag.ok_or_else(|| Refusal::new(StatusCode::UNAUTHORIZED, "the request has no tag"))?;
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str());
    if origin.verifies(tag.as_bytes(), path, place, message) {
        return Ok(());
    }
    Err(Refusal::new(StatusCode::FORBIDDEN, "the request's tag is not the one of this channel, request and message"))
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
