//! Verifies signatures.

use std::time::{Duration, SystemTime};

use cairn_protocol::sigv4::{
    CanonicalRequest, ChunkSigner, Credential, PayloadMode, Scope, SecretKey, SigningKey, SigningKeyCache, SigningTime,
    must_be_signed, signatures_match, signs_header, string_to_sign,
};
use http::uri::Authority;
use http::{HeaderMap, HeaderName};

use super::input::{AuthInput, SignedInput, query_error};
use super::presigned_v2;
use super::types::{Authentication, Caller, CredentialStore, PayloadAuth, RequestHead};
use crate::error::{S3Error, S3ErrorCode};

/// Largest difference between a request's clock and ours. Source: S3 API reference, error `RequestTimeTooSkewed`.
const SKEW_MAX: Duration = Duration::from_mins(15);
const SERVICE: &str = "s3";

#[derive(Debug)]
pub struct Authenticator {
    region: String,
    keys: SigningKeyCache,
}

impl Authenticator {
    /// Signatures have to name `region`.
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), keys: SigningKeyCache::new() }
    }

    /// Finds out who sent a request at the time `now`. A request without a signature is anonymous; one with an invalid
    /// signature is refused.
    pub fn authenticate(
        &self,
        request: &RequestHead<'_>,
        credentials: &dyn CredentialStore,
        now: SystemTime,
    ) -> Result<Authentication, S3Error> {
        if let Some(presigned) = presigned_v2::authenticate(request, credentials, now) {
            return presigned;
        }
        let input = match AuthInput::read(request)? {
            AuthInput::Anonymous { payload } => {
                let payload = anonymous_payload(payload)?;
                return Ok(Authentication { caller: Caller::Anonymous, payload, presigned: false });
            }
            AuthInput::Signed(input) => input,
        };
        let presigned = input.expires.is_some();
        let credential = self.check_scope(&input.credential, input.time, presigned)?;
        check_time(&input, now)?;
        if input.session_token.is_some() {
            // Access keys here are long-lived. A token would otherwise be accepted and ignored.
            return Err(S3ErrorCode::InvalidToken.into());
        }
        check_signed_headers(request.headers, &input.signed_headers)?;
        let secret = find_secret(credential.access_key, credentials)?;
        let key = self.key(&credential, &secret, input.time);
        check_signature(request, &input, &credential, key)?;
        Ok(Authentication {
            caller: Caller::AccessKey(credential.access_key.to_owned()),
            payload: signed_payload(&input, &credential.scope, key),
            presigned,
        })
    }

    pub(super) fn key(&self, credential: &Credential<'_>, secret: &SecretKey, time: SigningTime) -> SigningKey {
        self.keys.get(credential, secret, time.to_system_time())
    }

    /// Parses the credential and checks that it is for this region, for S3 and for the day of `time`.
    pub(super) fn check_scope<'c>(
        &self,
        credential: &'c str,
        time: SigningTime,
        in_query: bool,
    ) -> Result<Credential<'c>, S3Error> {
        let wrong = |what: String| {
            if in_query {
                return query_error(format!("Error parsing the X-Amz-Credential parameter; {what}"));
            }
            let message = format!("The authorization header is malformed; {what}");
            S3Error::with_message(S3ErrorCode::AuthorizationHeaderMalformed, message)
        };
        let parsed = Credential::parse(credential).map_err(|error| wrong(error.to_string()))?;
        let scope = parsed.scope;
        if scope.region != self.region {
            let what = format!("the region '{}' is wrong; expecting '{}'", scope.region, self.region);
            let region = self.region.as_str();
            return Err(wrong(what).with("Region", region).with_header("x-amz-bucket-region", region));
        }
        if scope.service != SERVICE {
            let what = format!("incorrect service \"{}\". This endpoint belongs to \"{SERVICE}\".", scope.service);
            return Err(wrong(what));
        }
        if scope.date != time.date() {
            let what = format!(
                "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
                scope.date,
                time.date()
            );
            return Err(wrong(what));
        }
        Ok(parsed)
    }
}

pub(super) fn find_secret(access_key: &str, credentials: &dyn CredentialStore) -> Result<SecretKey, S3Error> {
    credentials
        .secret_key(access_key)
        .ok_or_else(|| S3Error::new(S3ErrorCode::InvalidAccessKeyId).with("AWSAccessKeyId", access_key))
}

/// Fails closed on a body that claims to be signed although the request is not.
fn anonymous_payload(mode: PayloadMode) -> Result<PayloadAuth, S3Error> {
    match mode {
        PayloadMode::Unsigned => Ok(PayloadAuth::Unsigned),
        PayloadMode::Sha256(digest) => Ok(PayloadAuth::SignedSha256(digest)),
        PayloadMode::StreamingUnsignedTrailer => Ok(PayloadAuth::StreamingUnsignedTrailer),
        PayloadMode::StreamingSigned | PayloadMode::StreamingSignedTrailer => Err(S3ErrorCode::AccessDenied.into()),
    }
}

fn signed_payload(input: &SignedInput<'_>, scope: &Scope<'_>, key: SigningKey) -> PayloadAuth {
    let streaming = |trailer| PayloadAuth::StreamingSigned {
        signer: ChunkSigner::new(key, input.time, scope, input.signature.as_ref()),
        trailer,
    };
    match input.payload {
        PayloadMode::Unsigned => PayloadAuth::Unsigned,
        PayloadMode::Sha256(digest) => PayloadAuth::SignedSha256(digest),
        PayloadMode::StreamingSigned => streaming(false),
        PayloadMode::StreamingSignedTrailer => streaming(true),
        PayloadMode::StreamingUnsignedTrailer => PayloadAuth::StreamingUnsignedTrailer,
    }
}

fn check_time(input: &SignedInput<'_>, now: SystemTime) -> Result<(), S3Error> {
    let signed_at = input.time.to_system_time();
    let server_time = || SigningTime::from_system_time(now).map_or_else(|_| String::new(), iso);
    let Some(expires) = input.expires else {
        if input.time.skew(now) <= SKEW_MAX {
            return Ok(());
        }
        return Err(S3Error::new(S3ErrorCode::RequestTimeTooSkewed)
            .with("RequestTime", input.time.as_str())
            .with("ServerTime", server_time())
            .with("MaxAllowedSkewMilliseconds", SKEW_MAX.as_millis().to_string()));
    };
    if signed_at > now + SKEW_MAX {
        return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request is not yet valid")
            .with("ServerTime", server_time()));
    }
    let end = signed_at + expires;
    if now > end {
        return Err(S3Error::with_message(S3ErrorCode::AccessDenied, "Request has expired")
            .with("X-Amz-Expires", expires.as_secs().to_string())
            .with("Expires", SigningTime::from_system_time(end).map_or_else(|_| String::new(), iso))
            .with("ServerTime", server_time()));
    }
    Ok(())
}

/// `2013-05-24T00:00:00Z`.
fn iso(time: SigningTime) -> String {
    jiff::Timestamp::try_from(time.to_system_time()).map_or_else(|_| String::new(), |timestamp| timestamp.to_string())
}

fn check_signed_headers(headers: &HeaderMap, signed_headers: &str) -> Result<(), S3Error> {
    let host = (!signs_header(signed_headers, "host")).then_some("host");
    let unsigned = headers.keys().map(HeaderName::as_str);
    let unsigned =
        unsigned.filter(|name| must_be_signed(name) && !signs_header(signed_headers, name) && *name != "host");
    let missing: Vec<&str> = host.into_iter().chain(unsigned).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(S3Error::with_message(
        S3ErrorCode::AccessDenied,
        "There were headers present in the request which were not signed",
    )
    .with("HeadersNotSigned", missing.join(", ")))
}

fn check_signature(
    request: &RequestHead<'_>,
    input: &SignedInput<'_>,
    credential: &Credential<'_>,
    key: SigningKey,
) -> Result<(), S3Error> {
    let canonical = CanonicalRequest {
        method: request.method.as_str(),
        path: request.uri.path(),
        query: request.uri.query().unwrap_or_default(),
        headers: request.headers,
        authority: request.uri.authority().map(Authority::as_str),
        signed_headers: &input.signed_headers,
        payload_hash: &input.payload_hash,
    };
    let mismatch = |error: S3Error| {
        error.with("AWSAccessKeyId", credential.access_key).with("SignatureProvided", input.signature.as_ref())
    };
    let canonical = canonical
        .to_bytes()
        .map_err(|missing| mismatch(S3Error::with_message(S3ErrorCode::SignatureDoesNotMatch, missing.to_string())))?;
    let string_to_sign = string_to_sign(input.time, &credential.scope, &canonical);
    if signatures_match(&key.sign(string_to_sign.as_bytes()), &input.signature) {
        return Ok(());
    }
    Err(mismatch(S3Error::new(S3ErrorCode::SignatureDoesNotMatch))
        .with("StringToSign", string_to_sign)
        .with("CanonicalRequest", String::from_utf8_lossy(&canonical)))
}
