//! Signing requests, on the client's side.

use std::time::{Duration, SystemTime};

use http::header::{AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TRANSFER_ENCODING, USER_AGENT};
use http::uri::{InvalidUri, InvalidUriParts, PathAndQuery};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::canonical::{CanonicalRequest, MissingSignedHeader, string_to_sign};
use super::chunk::ChunkSigner;
use super::credential::{Credential, CredentialError, Credentials, Scope};
use super::names::{ALGORITHM, X_AMZ_CONTENT_SHA256, X_AMZ_DATE, X_AMZ_SECURITY_TOKEN};
use super::payload_mode::PayloadMode;
use super::signing_key::{SigningKey, SigningKeyCache};
use super::time::{SigningTime, SigningTimeError};
use super::uri::encode_query_component;

/// Headers that proxies change or that are added after signing.
const UNSIGNED: [HeaderName; 6] = [AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING, USER_AGENT];

/// Why a request cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// There is neither a `host` header nor an authority in the URI.
    #[error("a request needs a host header or an absolute URI to be signed")]
    NoHost,
    /// The time cannot be written in SigV4's form.
    #[error(transparent)]
    Time(#[from] SigningTimeError),
    /// The access key, region or service does not fit into a credential.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// A value is not allowed in a header.
    #[error(transparent)]
    Header(#[from] http::header::InvalidHeaderValue),
    /// A header vanished while the request was being signed.
    #[error(transparent)]
    Missing(#[from] MissingSignedHeader),
    /// The presigned query does not form a URI.
    #[error(transparent)]
    Uri(#[from] InvalidUri),
    /// The presigned parts do not form a URI.
    #[error(transparent)]
    UriParts(#[from] InvalidUriParts),
}

/// Method and URI of the request to sign. The path is percent-encoded, see [`super::encode_path`].
#[derive(Debug, Clone, Copy)]
pub struct RequestTarget<'a> {
    pub method: &'a Method,
    /// The URI, absolute or relative.
    pub uri: &'a Uri,
}

/// The result of signing, for the chunks that may follow.
#[derive(Debug, Clone)]
pub struct Signed {
    /// In hex.
    pub signature: String,
    pub chunks: ChunkSigner,
}

/// A URI that carries its own authorization.
#[derive(Debug, Clone)]
pub struct PresignedUri {
    pub uri: Uri,
    /// In hex.
    pub signature: String,
}

/// Signs requests for one identity, region and service.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'a> {
    pub credentials: &'a Credentials,
    pub region: &'a str,
    pub service: &'a str,
    pub keys: &'a SigningKeyCache,
}

impl Signer<'_> {
    /// Adds `host` (if absent), `x-amz-date`, `x-amz-content-sha256`, `x-amz-security-token` (for temporary
    /// credentials) and `authorization`. Signs every header except those that change on the way.
    pub fn sign_headers(
        &self,
        target: RequestTarget<'_>,
        headers: &mut HeaderMap,
        time: SystemTime,
        payload: PayloadMode,
    ) -> Result<Signed, SignError> {
        let time = SigningTime::from_system_time(time)?;
        let payload_hash = payload.header_value();
        add_host(target.uri, headers)?;
        headers.insert(X_AMZ_DATE, HeaderValue::from_str(time.as_str())?);
        headers.insert(X_AMZ_CONTENT_SHA256, HeaderValue::from_str(&payload_hash)?);
        if let Some(token) = &self.credentials.session_token {
            headers.insert(X_AMZ_SECURITY_TOKEN, HeaderValue::from_str(token)?);
        }
        let signed_headers = list_signed_headers(headers);
        let scope = Scope { date: time.date(), region: self.region, service: self.service };
        let credential = format!("{}/{scope}", self.credentials.access_key);
        let key = self.key(&credential, time)?;
        let canonical = CanonicalRequest {
            method: target.method.as_str(),
            path: target.uri.path(),
            query: target.uri.query().unwrap_or_default(),
            headers,
            authority: None,
            signed_headers: &signed_headers,
            payload_hash: &payload_hash,
        };
        let signature = key.sign(string_to_sign(time, &scope, &canonical.to_bytes()?).as_bytes());
        let authorization =
            format!("{ALGORITHM} Credential={credential}, SignedHeaders={signed_headers}, Signature={signature}");
        headers.insert(AUTHORIZATION, HeaderValue::from_str(&authorization)?);
        Ok(Signed { chunks: ChunkSigner::new(key, time, &scope, signature.clone()), signature })
    }

    /// A URI that is valid for `expires` (at most seven days on S3), for any request with these `headers`.
    pub fn presign_url(
        &self,
        target: RequestTarget<'_>,
        headers: &HeaderMap,
        time: SystemTime,
        expires: Duration,
    ) -> Result<PresignedUri, SignError> {
        let time = SigningTime::from_system_time(time)?;
        let mut headers = headers.clone();
        add_host(target.uri, &mut headers)?;
        let signed_headers = list_signed_headers(&headers);
        let scope = Scope { date: time.date(), region: self.region, service: self.service };
        let credential = format!("{}/{scope}", self.credentials.access_key);
        let key = self.key(&credential, time)?;

        let mut parameters: Vec<String> = target.uri.query().map(str::to_owned).into_iter().collect();
        parameters.push(format!("X-Amz-Algorithm={ALGORITHM}"));
        parameters.push(format!("X-Amz-Credential={}", encode_query_component(&credential)));
        parameters.push(format!("X-Amz-Date={time}"));
        parameters.push(format!("X-Amz-Expires={}", expires.as_secs()));
        parameters.push(format!("X-Amz-SignedHeaders={}", encode_query_component(&signed_headers)));
        if let Some(token) = &self.credentials.session_token {
            parameters.push(format!("X-Amz-Security-Token={}", encode_query_component(token)));
        }
        let query = parameters.join("&");
        let canonical = CanonicalRequest {
            method: target.method.as_str(),
            path: target.uri.path(),
            query: &query,
            headers: &headers,
            authority: None,
            signed_headers: &signed_headers,
            payload_hash: &PayloadMode::Unsigned.header_value(),
        };
        let signature = key.sign(string_to_sign(time, &scope, &canonical.to_bytes()?).as_bytes());
        let mut parts = target.uri.clone().into_parts();
        let path_and_query = format!("{}?{query}&X-Amz-Signature={signature}", target.uri.path());
        parts.path_and_query = Some(PathAndQuery::try_from(path_and_query)?);
        Ok(PresignedUri { uri: Uri::from_parts(parts)?, signature })
    }

    fn key(&self, credential: &str, time: SigningTime) -> Result<SigningKey, SignError> {
        let credential = Credential::parse(credential)?;
        Ok(self.keys.get(&credential, &self.credentials.secret_key, time.to_system_time()))
    }
}

fn add_host(uri: &Uri, headers: &mut HeaderMap) -> Result<(), SignError> {
    if !headers.contains_key(HOST) {
        let authority = uri.authority().ok_or(SignError::NoHost)?;
        headers.insert(HOST, HeaderValue::from_str(authority.as_str())?);
    }
    Ok(())
}

fn list_signed_headers(headers: &HeaderMap) -> String {
    let mut names: Vec<&str> =
        headers.keys().filter(|name| !UNSIGNED.contains(*name)).map(HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(";")
}
