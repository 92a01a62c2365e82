//! Lets only requests signed by the root user through.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use cairn_protocol::sigv4::{HeaderVerifier, RequestTarget};

use super::{AdminState, error};

/// The service in the scope of admin signatures.
pub const SERVICE: &str = "cairn-admin";
/// The region in the scope of admin signatures, whatever region the S3 API has: an operator's tools need not know that.
pub const REGION: &str = "us-east-1";
/// How far the signer's clock may be off.
const SKEW_MAX: Duration = Duration::from_mins(15);

pub(super) async fn require_signature(State(state): State<AdminState>, request: Request, next: Next) -> Response {
    let verifier = HeaderVerifier { region: REGION, service: SERVICE, skew_max: SKEW_MAX, keys: &state.keys };
    let target = RequestTarget { method: request.method(), uri: request.uri() };
    let secret = |key: &str| (key == state.root.access_key).then(|| state.root.secret_key.clone());
    match verifier.verify_headers(target, request.headers(), state.clock.now(), secret) {
        Ok(_) => next.run(request).await,
        Err(why) => {
            tracing::warn!(path = request.uri().path(), error = %why, "admin request refused");
            error(StatusCode::FORBIDDEN, "AccessDenied", &why.to_string())
        }
    }
}
