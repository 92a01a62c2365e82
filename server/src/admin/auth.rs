//! Lets only requests through that the root user signed, and logs who called what.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use cairn_protocol::sigv4::{HeaderVerifier, RequestTarget};

use super::answer::error;
use super::state::AdminState;

/// The service in the scope of admin signatures.
pub const SERVICE: &str = "cairn-admin";
/// The region in the scope of admin signatures, whatever region the S3 API has: an operator's tools need not know it.
pub const REGION: &str = "us-east-1";
/// The target of the log lines that record calls: `log = "info,cairn::admin_log=off"` silences them.
const ADMIN_LOG: &str = "cairn::admin_log";
/// How far the signer's clock may differ.
const SKEW_MAX: Duration = Duration::from_mins(15);

pub(super) async fn require_signature(State(state): State<AdminState>, request: Request, next: Next) -> Response {
    let verifier = HeaderVerifier { region: REGION, service: SERVICE, skew_max: SKEW_MAX, keys: &state.keys };
    let target = RequestTarget { method: request.method(), uri: request.uri() };
    let secret = |key: &str| (key == state.root.access_key).then(|| state.root.secret_key.clone());
    let checked = verifier.verify_headers(target, request.headers(), state.clock.now(), secret);
    let (method, uri) = (request.method().clone(), request.uri().clone());
    match checked {
        Ok(signed) => {
            let began = state.clock.monotonic();
            let answer = next.run(request).await;
            let (status, ms) = (answer.status().as_u16(), state.clock.monotonic().saturating_sub(began).as_millis());
            tracing::info!(target: ADMIN_LOG, by = signed.access_key, %method, %uri, status, ms, "admin call");
            answer
        }
        Err(why) => {
            tracing::warn!(target: ADMIN_LOG, %method, %uri, error = %why, "admin call refused");
            error(StatusCode::FORBIDDEN, "AccessDenied", &why.to_string())
        }
    }
}
