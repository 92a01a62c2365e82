//! The receiving end of internal authentication: a request is accepted only if the cluster's secret signed it (I22).

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use http::request::Parts;

use super::names::{ACCESS_KEY, REGION, SERVICE};
use crate::sigv4::{HeaderVerifier, PayloadMode, RequestTarget, SecretKey, SigningKeyCache, VerifyError};

/// Why an internal request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcAuthError {
    #[error(transparent)]
    Signature(#[from] VerifyError),
    #[error("the body's SHA-256 is not the one that was signed")]
    Body,
}

impl RpcAuthError {
    /// The HTTP status: 401 where there is no signature at all, else 403.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Signature(VerifyError::MissingHeader(_) | VerifyError::Authorization(_)) => 401,
            Self::Signature(_) | Self::Body => 403,
        }
    }
}

/// Verifies internal requests. Cheap to clone.
#[derive(Clone)]
pub struct RpcAuth {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
}

struct Shared {
    secret: SecretKey,
    keys: SigningKeyCache,
}

/// Largest accepted difference between the clocks of two nodes. A captured request can be replayed for this long.
const SKEW_MAX: Duration = Duration::from_mins(5);

impl RpcAuth {
    /// Accepts what the cluster's secret signed. With an empty secret it accepts nothing.
    pub fn new(secret: &str, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared { secret: SecretKey::new(secret), keys: SigningKeyCache::new() };
        Self { shared: Arc::new(shared), clock }
    }

    /// Checks the signature over method, URI and headers. Unless the body is a stream, the caller passes the result and
    /// the body to [`RpcAuth::check_body`].
    pub fn verify(&self, request: &Parts) -> Result<PayloadMode, RpcAuthError> {
        let verifier = HeaderVerifier { region: REGION, service: SERVICE, skew_max: SKEW_MAX, keys: &self.shared.keys };
        let target = RequestTarget { method: &request.method, uri: &request.uri };
        let secret = |access_key: &str| {
            let known = access_key == ACCESS_KEY && !self.shared.secret.expose().is_empty();
            known.then(|| self.shared.secret.clone())
        };
        Ok(verifier.verify_headers(target, &request.headers, self.clock.now(), secret)?.payload)
    }

    /// Checks that a message is the one that was signed. An unsigned message is refused.
    pub fn check_body(payload: PayloadMode, body: &[u8]) -> Result<(), RpcAuthError> {
        if payload == PayloadMode::of(body) { Ok(()) } else { Err(RpcAuthError::Body) }
    }
}
