//! The receiving end of internal authentication: nothing is let in that the cluster's secret did not sign (I22).

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use http::request::Parts;

use super::names::{ACCESS_KEY, REGION, SERVICE};
use crate::sigv4::{HeaderVerifier, PayloadMode, RequestTarget, SecretKey, SigningKeyCache, VerifyError};

/// Why an internal request is not let in.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcAuthError {
    /// The signature does not hold.
    #[error(transparent)]
    Signature(#[from] VerifyError),
    /// The body is not the one that was signed.
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

/// Largest distance between the clocks of two nodes, and the longest time for which a request can be replayed.
const SKEW_MAX: Duration = Duration::from_mins(5);

impl RpcAuth {
    /// Lets in what is signed with the cluster's secret. An empty secret lets nothing in.
    pub fn new(secret: &str, clock: Arc<dyn Clock>) -> Self {
        let shared = Shared { secret: SecretKey::new(secret), keys: SigningKeyCache::new() };
        Self { shared: Arc::new(shared), clock }
    }

    /// Checks the signature over method, URI and headers. What it says of the body is to be checked by
    /// [`RpcAuth::check_body`], unless the body is a stream.
    pub fn verify(&self, request: &Parts) -> Result<PayloadMode, RpcAuthError> {
        let verifier = HeaderVerifier { region: REGION, service: SERVICE, skew_max: SKEW_MAX, keys: &self.shared.keys };
        let target = RequestTarget { method: &request.method, uri: &request.uri };
        let secret = |access_key: &str| {
            let known = access_key == ACCESS_KEY && !self.shared.secret.expose().is_empty();
            known.then(|| self.shared.secret.clone())
        };
        Ok(verifier.verify_headers(target, &request.headers, self.clock.now(), secret)?.payload)
    }

    /// Checks that a message is the one that was signed: an unsigned one is refused.
    pub fn check_body(payload: PayloadMode, body: &[u8]) -> Result<(), RpcAuthError> {
        if payload == PayloadMode::of(body) { Ok(()) } else { Err(RpcAuthError::Body) }
    }
}
