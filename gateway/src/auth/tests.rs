//! Whole requests, signed by the client side of the same protocol and verified here.

use std::time::{Duration, SystemTime};

use cairn_protocol::sigv4::{Credentials, PayloadMode, RequestTarget, SecretKey, Signer, SigningKeyCache, SigningTime};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

use super::*;
use crate::error::{S3Error, S3ErrorCode};

struct OneUser;

impl CredentialStore for OneUser {
    fn secret_key(&self, access_key: &str) -> Option<SecretKey> {
        (access_key == "AK").then(|| SecretKey::new("secret"))
    }
}

fn now() -> SystemTime {
    SigningTime::parse("20130524T000000Z").unwrap().to_system_time()
}

struct Request {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    now: SystemTime,
}

impl Request {
    fn authenticate(&self) -> Result<Authentication, S3Error> {
        let head = RequestHead { method: &self.method, uri: &self.uri, headers: &self.headers };
        Authenticator::new("eu-west-1").authenticate(&head, &OneUser, self.now)
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    fn check(&self, expected: S3ErrorCode) -> S3Error {
        let error = self.authenticate().unwrap_err();
        assert_eq!(error.code(), expected, "{error}");
        error
    }
}

fn anonymous(uri: &str) -> Request {
    let mut request = Request { method: Method::PUT, uri: uri.parse().unwrap(), headers: HeaderMap::new(), now: now() };
    request.set("host", "localhost:9000");
    request
}

fn signed_by(access_key: &str, secret: &str, region: &str, payload: PayloadMode) -> Request {
    let credentials = Credentials::new(access_key, secret);
    let keys = SigningKeyCache::new();
    let signer = Signer { credentials: &credentials, region, service: "s3", keys: &keys };
    let mut request = anonymous("/bucket/a%20key?partNumber=1&uploadId=x");
    request.set("x-amz-meta-color", "deep  red");
    let Request { method, uri, headers, .. } = &mut request;
    signer.sign_headers(RequestTarget { method, uri }, headers, now(), payload).unwrap();
    request
}

fn signed() -> Request {
    signed_by("AK", "secret", "eu-west-1", PayloadMode::Unsigned)
}

fn presigned(expires: u64) -> Request {
    let credentials = Credentials::new("AK", "secret");
    let keys = SigningKeyCache::new();
    let signer = Signer { credentials: &credentials, region: "eu-west-1", service: "s3", keys: &keys };
    let mut request = anonymous("/bucket/key?response-content-type=a%2Fb");
    let target = RequestTarget { method: &request.method, uri: &request.uri };
    let presigned = signer.presign_url(target, &request.headers, now(), Duration::from_secs(expires)).unwrap();
    request.uri = presigned.uri;
    request
}

#[test]
fn every_payload_mode_is_accepted() {
    let check = |payload| signed_by("AK", "secret", "eu-west-1", payload).authenticate().unwrap();
    let unsigned = check(PayloadMode::Unsigned);
    assert_eq!(unsigned.caller, Caller::AccessKey("AK".to_owned()));
    assert!(matches!(unsigned.payload, PayloadAuth::Unsigned));
    assert!(!unsigned.presigned);
    assert_eq!(check(PayloadMode::Sha256([7; 32])).payload.sha256(), Some([7; 32]));
    let streaming = |payload| match check(payload).payload {
        PayloadAuth::StreamingSigned { trailer, .. } => Some(trailer),
        _ => None,
    };
    assert_eq!(streaming(PayloadMode::StreamingSigned), Some(false));
    assert_eq!(streaming(PayloadMode::StreamingSignedTrailer), Some(true));
    let unsigned_trailer = check(PayloadMode::StreamingUnsignedTrailer).payload;
    assert!(matches!(unsigned_trailer, PayloadAuth::StreamingUnsignedTrailer));
}

#[test]
fn wrong_keys_and_changed_requests_do_not_match() {
    let error = signed_by("AK", "other", "eu-west-1", PayloadMode::Unsigned).check(S3ErrorCode::SignatureDoesNotMatch);
    assert!(error.detail("CanonicalRequest").unwrap().starts_with("PUT\n/bucket/a%20key\npartNumber=1&uploadId=x\n"));
    assert!(error.detail("StringToSign").unwrap().starts_with("AWS4-HMAC-SHA256\n20130524T000000Z\n"));

    let mut changed = signed();
    changed.set("x-amz-meta-color", "blue");
    changed.check(S3ErrorCode::SignatureDoesNotMatch);
    let mut changed = signed();
    changed.method = Method::GET;
    changed.check(S3ErrorCode::SignatureDoesNotMatch);
    let mut changed = signed();
    changed.headers.remove("x-amz-meta-color");
    changed.check(S3ErrorCode::SignatureDoesNotMatch);

    let unknown = signed_by("NOBODY", "secret", "eu-west-1", PayloadMode::Unsigned);
    assert_eq!(unknown.check(S3ErrorCode::InvalidAccessKeyId).detail("AWSAccessKeyId"), Some("NOBODY"));
}

#[test]
fn a_wrong_region_is_answered_with_the_right_one() {
    let error =
        signed_by("AK", "secret", "us-east-1", PayloadMode::Unsigned).check(S3ErrorCode::AuthorizationHeaderMalformed);
    assert_eq!(error.detail("Region"), Some("eu-west-1"));
    assert_eq!(
        error.message(),
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    );
}

#[test]
fn clocks_may_differ_by_a_quarter_of_an_hour() {
    for (seconds, accepted) in [(0, true), (900, true), (901, false)] {
        for direction in [1, -1] {
            let mut request = signed();
            let distance = Duration::from_secs(seconds);
            request.now = if direction > 0 { now() + distance } else { now() - distance };
            assert_eq!(request.authenticate().is_ok(), accepted, "{seconds} {direction}");
            if !accepted {
                request.check(S3ErrorCode::RequestTimeTooSkewed);
            }
        }
    }
}

#[test]
fn headers_of_the_x_amz_family_must_be_signed() {
    let mut request = signed();
    request.set("x-amz-acl", "public-read");
    assert_eq!(request.check(S3ErrorCode::AccessDenied).detail("HeadersNotSigned"), Some("x-amz-acl"));
    let mut request = signed();
    let without_host = request.headers["authorization"].to_str().unwrap().replace("host;", "");
    request.set("authorization", &without_host);
    assert_eq!(request.check(S3ErrorCode::AccessDenied).detail("HeadersNotSigned"), Some("host"));
    let mut request = signed();
    request.set("cache-control", "no-cache");
    assert!(request.authenticate().is_ok());
}

#[test]
fn unreadable_signatures_are_refused_by_kind() {
    let check = |authorization: &str, expected| {
        let mut request = signed();
        request.set("authorization", authorization);
        request.check(expected);
    };
    check("", S3ErrorCode::AccessDenied);
    check("AWS AK:c2lnbmF0dXJl", S3ErrorCode::InvalidRequest);
    check("AWS HAHAHA", S3ErrorCode::InvalidArgument);
    check("Bearer x", S3ErrorCode::InvalidArgument);
    check("AWS4-HMAC-SHA256 nonsense", S3ErrorCode::AuthorizationHeaderMalformed);

    let check = |header: &'static str, value: Option<&str>, expected| {
        let mut request = signed();
        request.headers.remove(header);
        if let Some(value) = value {
            request.set(header, value);
        }
        request.check(expected);
    };
    check("x-amz-content-sha256", None, S3ErrorCode::InvalidRequest);
    check("x-amz-content-sha256", Some("abc"), S3ErrorCode::InvalidArgument);
    check("x-amz-date", None, S3ErrorCode::AccessDenied);
    check("x-amz-date", Some("yesterday"), S3ErrorCode::AccessDenied);
    check("x-amz-date", Some("20130523T235959Z"), S3ErrorCode::AuthorizationHeaderMalformed);
    check("x-amz-security-token", Some("t"), S3ErrorCode::InvalidToken);
    anonymous("/b/k?AWSAccessKeyId=AK&Signature=s&Expires=1").check(S3ErrorCode::InvalidRequest);
    let mut both = presigned(60);
    both.set("authorization", "AWS4-HMAC-SHA256 x");
    both.check(S3ErrorCode::InvalidArgument);
}

#[test]
fn the_date_header_stands_in_for_x_amz_date() {
    let head = |date: &str| {
        let mut request = anonymous("/b/k");
        request.set("date", date);
        request.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        let authorization = "AWS4-HMAC-SHA256 Credential=AK/20130524/eu-west-1/s3/aws4_request, \
                             SignedHeaders=date;host;x-amz-content-sha256, Signature=0";
        request.set("authorization", authorization);
        request
    };
    // The time is accepted: the signature is what fails.
    head("Fri, 24 May 2013 00:00:00 GMT").check(S3ErrorCode::SignatureDoesNotMatch);
    head("20130524T000000Z").check(S3ErrorCode::SignatureDoesNotMatch);
    head("Friday").check(S3ErrorCode::AccessDenied);
}

#[test]
fn presigned_urls_are_valid_for_as_long_as_they_say() {
    let mut request = presigned(60);
    let authentication = request.authenticate().unwrap();
    assert!(authentication.presigned);
    assert!(matches!(authentication.payload, PayloadAuth::Unsigned));
    request.now = now() + Duration::from_mins(1);
    assert!(request.authenticate().is_ok());
    request.now = now() + Duration::from_secs(61);
    let error = request.check(S3ErrorCode::AccessDenied);
    assert_eq!((error.message(), error.detail("Expires")), ("Request has expired", Some("2013-05-24T00:01:00Z")));
    request.now = now() - Duration::from_secs(901);
    assert_eq!(request.check(S3ErrorCode::AccessDenied).message(), "Request is not yet valid");

    assert!(presigned(604_800).authenticate().is_ok());
    presigned(604_801).check(S3ErrorCode::AccessDenied);
    presigned(0).check(S3ErrorCode::AccessDenied);
}

#[test]
fn presigned_urls_are_checked_part_by_part() {
    let check = |from: &str, to: &str, expected| {
        let mut request = presigned(60);
        request.uri = request.uri.to_string().replace(from, to).parse().unwrap();
        request.check(expected);
    };
    check("X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", S3ErrorCode::AuthorizationQueryParametersError);
    check("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", S3ErrorCode::AuthorizationQueryParametersError);
    check("eu-west-1", "us-east-1", S3ErrorCode::AuthorizationQueryParametersError);
    check("X-Amz-Date=2013", "X-Amz-Date=x", S3ErrorCode::AuthorizationQueryParametersError);
    check("X-Amz-Expires=60", "X-Amz-Expires=6x", S3ErrorCode::AuthorizationQueryParametersError);
    check("X-Amz-Expires=60", "X-Amz-Expires=-7", S3ErrorCode::AccessDenied);
    check("X-Amz-Expires=60", "X-Amz-Expires=61", S3ErrorCode::SignatureDoesNotMatch);
    check("a%2Fb", "a%2Fc", S3ErrorCode::SignatureDoesNotMatch);
    check("/bucket/key", "/bucket/other", S3ErrorCode::SignatureDoesNotMatch);
}

#[test]
fn anonymous_requests_are_recognized() {
    let authentication = anonymous("/bucket/key?prefix=x").authenticate().unwrap();
    assert_eq!(authentication.caller, Caller::Anonymous);
    assert_eq!(authentication.caller.access_key().unwrap_err().code(), S3ErrorCode::AccessDenied);
    let mut streaming = anonymous("/bucket/key");
    streaming.set("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    streaming.check(S3ErrorCode::AccessDenied);
    streaming.set("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    assert!(matches!(streaming.authenticate().unwrap().payload, PayloadAuth::StreamingUnsignedTrailer));
}
