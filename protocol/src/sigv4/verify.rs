//! Verifying requests that are signed by header, as the internal RPC and the admin API do.

use std::time::{Duration, SystemTime};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

use super::authorization::{Authorization, AuthorizationError};
use super::canonical::{CanonicalRequest, MissingSignedHeader, must_be_signed, signs_header, string_to_sign};
use super::credential::SecretKey;
use super::names::{X_AMZ_CONTENT_SHA256, X_AMZ_DATE};
use super::payload_mode::{PayloadMode, PayloadModeError};
use super::sign::RequestTarget;
use super::signing_key::{SigningKeyCache, signatures_match};
use super::time::{SigningTime, SigningTimeError};

/// Why a request is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header that every signed request has.
    #[error("the request has no {0} header, or it is not text")]
    MissingHeader(&'static str),
    /// The `Authorization` header cannot be read.
    #[error(transparent)]
    Authorization(#[from] AuthorizationError),
    /// `x-amz-date` cannot be read.
    #[error(transparent)]
    Time(#[from] SigningTimeError),
    /// `x-amz-content-sha256` cannot be read.
    #[error(transparent)]
    Payload(#[from] PayloadModeError),
    #[error("the access key {0} is not known")]
    UnknownAccessKey(String),
    /// The two clocks differ by too much, or the request is old.
    #[error("the request was signed at {time}, {} s away from the verifier's clock", skew.as_secs())]
    Skewed {
        /// As the request states it.
        time: SigningTime,
        /// Difference from the verifier's clock.
        skew: Duration,
    },
    /// The signature is for another day, region or service.
    #[error("the signature's scope is {found}, expected {expected}")]
    Scope { found: String, expected: String },
    /// A header that must be signed is not.
    #[error("the header {0} is not covered by the signature")]
    UnsignedHeader(String),
    /// A header that is listed as signed is missing.
    #[error(transparent)]
    MissingSignedHeader(#[from] MissingSignedHeader),
    #[error("the signature does not match")]
    SignatureMismatch,
}

/// A request with a valid signature. The body is not checked yet: compare it with `payload`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Who signed.
    pub access_key: String,
    /// How the signature covers the body.
    pub payload: PayloadMode,
    pub time: SigningTime,
}

/// Verifies requests for one region and service.
#[derive(Debug, Clone, Copy)]
pub struct HeaderVerifier<'a> {
    /// Region that the scope must have.
    pub region: &'a str,
    /// Service that the scope must have.
    pub service: &'a str,
    /// Largest accepted difference between the signing time and the verifier's clock.
    pub skew_max: Duration,
    pub keys: &'a SigningKeyCache,
}

impl HeaderVerifier<'_> {
    /// Checks the signature of a request at the time `now`. `secret` looks up the secret of an access key.
    pub fn verify_headers(
        &self,
        target: RequestTarget<'_>,
        headers: &HeaderMap,
        now: SystemTime,
        secret: impl FnOnce(&str) -> Option<SecretKey>,
    ) -> Result<Verified, VerifyError> {
        let authorization = Authorization::parse(text(headers, AUTHORIZATION.as_str())?)?;
        let time = SigningTime::parse(text(headers, X_AMZ_DATE)?)?;
        let payload_hash = text(headers, X_AMZ_CONTENT_SHA256)?;
        let payload = PayloadMode::parse(payload_hash)?;
        self.check_scope(&authorization, time)?;
        let skew = time.skew(now);
        if skew > self.skew_max {
            return Err(VerifyError::Skewed { time, skew });
        }
        check_signed_headers(headers, authorization.signed_headers)?;
        let access_key = authorization.credential.access_key;
        let secret = secret(access_key).ok_or_else(|| VerifyError::UnknownAccessKey(access_key.to_owned()))?;
        let canonical = CanonicalRequest {
            method: target.method.as_str(),
            path: target.uri.path(),
            query: target.uri.query().unwrap_or_default(),
            headers,
            authority: target.uri.authority().map(http::uri::Authority::as_str),
            signed_headers: authorization.signed_headers,
            payload_hash,
        };
        let string_to_sign = string_to_sign(time, &authorization.credential.scope, &canonical.to_bytes()?);
        let key = self.keys.get(&authorization.credential, &secret, time.to_system_time());
        if !signatures_match(&key.sign(string_to_sign.as_bytes()), authorization.signature) {
            return Err(VerifyError::SignatureMismatch);
        }
        Ok(Verified { access_key: access_key.to_owned(), payload, time })
    }

    fn check_scope(&self, authorization: &Authorization<'_>, time: SigningTime) -> Result<(), VerifyError> {
        let found = authorization.credential.scope;
        let expected = super::Scope { date: time.date(), region: self.region, service: self.service };
        if found == expected {
            return Ok(());
        }
        Err(VerifyError::Scope { found: found.to_string(), expected: expected.to_string() })
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &'static str) -> Result<&'h str, VerifyError> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(VerifyError::MissingHeader(name))
}

fn check_signed_headers(headers: &HeaderMap, signed_headers: &str) -> Result<(), VerifyError> {
    if !signs_header(signed_headers, "host") {
        return Err(VerifyError::UnsignedHeader("host".to_owned()));
    }
    let unsigned =
        headers.keys().map(HeaderName::as_str).find(|name| must_be_signed(name) && !signs_header(signed_headers, name));
    unsigned.map_or(Ok(()), |name| Err(VerifyError::UnsignedHeader(name.to_owned())))
}
