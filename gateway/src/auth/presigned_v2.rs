//! Presigned downloads under Signature Version 2, which `aws s3 presign` of aws-cli 1 makes by default.
//!
//! Only GET and HEAD are accepted: links to read, until a time that the signer chose. Everything else has to be signed
//! with Version 4. Source: S3 developer guide, "Signing and authenticating REST requests", query string alternative.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use cairn_protocol::sigv4::{decode_query_component, signatures_match};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use sha1::Sha1;

use super::types::{Authentication, Caller, CredentialStore, PayloadAuth, RequestHead};
use crate::error::{S3Error, S3ErrorCode};

/// Query parameters that the signature covers.
const SIGNED_PARAMETERS: [&str; 8] = [
    "partNumber",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "versionId",
];

/// Query parameters of the signature itself.
const SIGNATURE_PARAMETERS: [&str; 3] = ["AWSAccessKeyId", "Expires", "Signature"];

struct PresignedV2 {
    access_key: String,
    signature: String,
    expires: String,
    /// Signed parameters in order, decoded.
    signed: Vec<(String, String)>,
    /// Whether there are parameters that the signature does not cover, such as `uploadId` in a link to an object.
    extended: bool,
}

/// Authenticates a presigned GET or HEAD of Version 2; `None` for any other request.
pub(super) fn authenticate(
    request: &RequestHead<'_>,
    credentials: &dyn CredentialStore,
    now: SystemTime,
) -> Option<Result<Authentication, S3Error>> {
    if request.method != Method::GET && request.method != Method::HEAD {
        return None;
    }
    let presigned = PresignedV2::read(request.uri.query()?)?;
    Some(presigned.check(request, credentials, now))
}

impl PresignedV2 {
    fn read(query: &str) -> Option<Self> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.push((decode_query_component(name)?.into_owned(), decode_query_component(value)?.into_owned()));
        }
        let value = |wanted: &str| parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
        let (access_key, signature, expires) = (value("AWSAccessKeyId")?, value("Signature")?, value("Expires")?);
        parameters.retain(|(name, _)| !SIGNATURE_PARAMETERS.contains(&name.as_str()));
        let extended = parameters.iter().any(|(name, _)| !SIGNED_PARAMETERS.contains(&name.as_str()));
        parameters.sort();
        Some(Self { access_key, signature, expires, signed: parameters, extended })
    }

    fn check(
        self,
        request: &RequestHead<'_>,
        credentials: &dyn CredentialStore,
        now: SystemTime,
    ) -> Result<Authentication, S3Error> {
        let denied = |message: &'static str| S3Error::with_message(S3ErrorCode::AccessDenied, message);
        let expires: u64 = self.expires.parse().map_err(|_| denied("Invalid date (should be seconds since epoch)"))?;
        if now > SystemTime::UNIX_EPOCH + Duration::from_secs(expires.min(u64::from(u32::MAX) * 4)) {
            return Err(denied("Request has expired"));
        }
        if self.extended {
            return Err(denied("The request has query parameters that its signature does not cover"));
        }
        let secret = credentials.secret_key(&self.access_key).ok_or(S3ErrorCode::InvalidAccessKeyId)?;
        let mut mac =
            Hmac::<Sha1>::new_from_slice(secret.expose().as_bytes()).map_err(|_| S3ErrorCode::InternalError)?;
        mac.update(self.string_to_sign(request).as_bytes());
        let computed = BASE64_STANDARD.encode(mac.finalize().into_bytes());
        if !signatures_match(&computed, &self.signature) {
            return Err(S3Error::new(S3ErrorCode::SignatureDoesNotMatch).with("AWSAccessKeyId", self.access_key));
        }
        let caller = Caller::AccessKey(self.access_key);
        Ok(Authentication { caller, payload: PayloadAuth::Unsigned, presigned: true })
    }

    fn string_to_sign(&self, request: &RequestHead<'_>) -> String {
        let header = |name: &str| request.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let mut amz: Vec<(&str, &str)> = request
            .headers
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-amz-"))
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default().trim()))
            .collect();
        amz.sort_unstable();
        let amz: Vec<String> = amz.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let amz = amz.concat();
        let signed: Vec<String> = self.signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let separator = if signed.is_empty() { "" } else { "?" };
        format!(
            "{}\n{}\n{}\n{}\n{amz}{}{separator}{}",
            request.method,
            header("content-md5"),
            header("content-type"),
            self.expires,
            request.uri.path(),
            signed.join("&"),
        )
    }
}

#[cfg(test)]
mod tests {
    use cairn_protocol::sigv4::SecretKey;
    use http::{HeaderMap, Uri};

    use super::*;

    /// The keys of the example in the developer guide.
    struct Example;

    impl CredentialStore for Example {
        fn secret_key(&self, access_key: &str) -> Option<SecretKey> {
            (access_key == "AKIAIOSFODNN7EXAMPLE").then(|| SecretKey::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
        }
    }

    fn check(method: &Method, uri: &str, now_s: u64) -> Option<Result<(), S3ErrorCode>> {
        let uri: Uri = uri.parse().unwrap();
        let headers = HeaderMap::new();
        let request = RequestHead { method, uri: &uri, headers: &headers };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now_s);
        authenticate(&request, &Example, now).map(|result| result.map(|_| ()).map_err(|e| e.code()))
    }

    /// From the developer guide, "Query string request authentication": the object `/photos/puppy.jpg` of the bucket
    /// `awsexamplebucket1`, in path style.
    const URI: &str = "/awsexamplebucket1/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620";
    const SIGNATURE: &str = "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D";

    #[test]
    fn a_link_works_until_it_expires_and_only_for_reading() {
        let (good, bad) = (
            "/johnsmith/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1175139620&Signature=",
            format!("{URI}&Signature={SIGNATURE}"),
        );
        let good = format!("{good}{SIGNATURE}");
        assert_eq!(check(&Method::GET, &good, 1_175_139_000), Some(Ok(())));
        assert_eq!(check(&Method::GET, &good, 1_175_139_621), Some(Err(S3ErrorCode::AccessDenied)));
        assert_eq!(check(&Method::GET, &bad, 1_175_139_000), Some(Err(S3ErrorCode::SignatureDoesNotMatch)));
        for more in ["uploadId=1", "uploads", "x-amz-checksum-mode=enabled", "prefix=x"] {
            let extended = check(&Method::GET, &format!("{good}&{more}"), 1_175_139_000);
            assert_eq!(extended, Some(Err(S3ErrorCode::AccessDenied)), "{more}");
        }
        assert_eq!(check(&Method::PUT, &good, 1_175_139_000), None);
        assert_eq!(check(&Method::GET, "/b/k?prefix=x", 0), None);
    }
}
