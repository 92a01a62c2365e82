//! The examples that AWS publishes for S3, and signer against verifier.
//! Source: S3 API reference, "Examples: Signature calculations in AWS Signature Version 4" and
//! "Example calculations" of the chunked-upload pages.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use sha2::{Digest, Sha256};

use super::*;

const HOST: &str = "examplebucket.s3.amazonaws.com";

fn credentials() -> Credentials {
    Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
}

fn time() -> SystemTime {
    SigningTime::parse("20130524T000000Z").unwrap().to_system_time()
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

fn sign(
    method: &Method,
    path: &str,
    extra: &[(&'static str, &'static str)],
    payload: PayloadMode,
) -> (Signed, HeaderMap) {
    let (credentials, keys) = (credentials(), SigningKeyCache::new());
    let signer = Signer { credentials: &credentials, region: "us-east-1", service: "s3", keys: &keys };
    let uri: Uri = format!("https://{HOST}{path}").parse().unwrap();
    let mut headers = headers(extra);
    let result = signer.sign_headers(RequestTarget { method, uri: &uri }, &mut headers, time(), payload).unwrap();
    (result, headers)
}

#[test]
fn get_object_with_range() {
    let (signed, headers) = sign(&Method::GET, "/test.txt", &[("range", "bytes=0-9")], PayloadMode::of(b""));
    assert_eq!(signed.signature, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    assert_eq!(
        headers["authorization"],
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

#[test]
fn put_object() {
    let extra = [("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let (signed, _) = sign(&Method::PUT, "/test$file.text", &extra, PayloadMode::of(b"Welcome to Amazon S3."));
    assert_eq!(signed.signature, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

#[test]
fn get_bucket_lifecycle() {
    let (signed, _) = sign(&Method::GET, "/?lifecycle", &[], PayloadMode::of(b""));
    assert_eq!(signed.signature, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

#[test]
fn list_objects() {
    let (signed, _) = sign(&Method::GET, "/?max-keys=2&prefix=J", &[], PayloadMode::of(b""));
    assert_eq!(signed.signature, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

#[test]
fn presigned_get() {
    let (credentials, keys) = (credentials(), SigningKeyCache::new());
    let signer = Signer { credentials: &credentials, region: "us-east-1", service: "s3", keys: &keys };
    let uri: Uri = format!("https://{HOST}/test.txt").parse().unwrap();
    let target = RequestTarget { method: &Method::GET, uri: &uri };
    let presigned = signer.presign_url(target, &HeaderMap::new(), time(), Duration::from_hours(24)).unwrap();
    assert_eq!(presigned.signature, "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    assert_eq!(
        presigned.uri.to_string(),
        "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

#[test]
fn chunked_upload() {
    // content-length is signed in AWS's example; the signer leaves it out, so the seed is computed from the parts.
    let headers = headers(&[
        ("content-encoding", "aws-chunked"),
        ("content-length", "66824"),
        ("host", "s3.amazonaws.com"),
        ("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-decoded-content-length", "66560"),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ]);
    let canonical = CanonicalRequest {
        method: "PUT",
        path: "/examplebucket/chunkObject.txt",
        query: "",
        headers: &headers,
        authority: None,
        signed_headers: "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;\
                         x-amz-decoded-content-length;x-amz-storage-class",
        payload_hash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    };
    let scope = Scope { date: "20130524", region: "us-east-1", service: "s3" };
    let key = SigningKey::derive(&credentials().secret_key, time(), scope.region, scope.service);
    let signing_time = SigningTime::from_system_time(time()).unwrap();
    let seed = key.sign(string_to_sign(signing_time, &scope, &canonical.to_bytes().unwrap()).as_bytes());
    assert_eq!(seed, "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");

    let mut chunks = ChunkSigner::new(key, signing_time, &scope, seed);
    for (length, signature) in [
        (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    ] {
        assert_eq!(chunks.next_chunk(&Sha256::digest(vec![b'a'; length]).into()), signature);
    }
}

#[test]
fn chunked_upload_with_trailer() {
    let scope = Scope { date: "20130524", region: "us-east-1", service: "s3" };
    let key = SigningKey::derive(&credentials().secret_key, time(), scope.region, scope.service);
    let signing_time = SigningTime::from_system_time(time()).unwrap();
    let seed = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e";
    let mut chunks = ChunkSigner::new(key, signing_time, &scope, seed);
    for (length, signature) in [
        (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
        (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
        (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
    ] {
        assert_eq!(chunks.next_chunk(&Sha256::digest(vec![b'a'; length]).into()), signature);
    }
    assert_eq!(
        chunks.trailer(b"x-amz-checksum-crc32c:sOO8/Q==\n"),
        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"
    );
}

/// Signs a request, lets `change` tamper with it, verifies it.
fn verify_changed(change: impl FnOnce(&mut Uri, &mut HeaderMap, &mut SystemTime)) -> Result<Verified, VerifyError> {
    let (credentials, keys) = (credentials(), SigningKeyCache::new());
    let signer = Signer { credentials: &credentials, region: "cairn", service: "cairn-rpc", keys: &keys };
    let mut uri: Uri = "http://127.0.0.1:9002/v1/shards/7?cells=1".parse().unwrap();
    let mut headers = headers(&[("content-type", "application/cbor"), ("x-cairn-epoch", "4")]);
    let target = RequestTarget { method: &Method::POST, uri: &uri };
    signer.sign_headers(target, &mut headers, time(), PayloadMode::of(b"body")).unwrap();
    let mut now = time();
    change(&mut uri, &mut headers, &mut now);
    let verifier =
        HeaderVerifier { region: "cairn", service: "cairn-rpc", skew_max: Duration::from_mins(15), keys: &keys };
    let target = RequestTarget { method: &Method::POST, uri: &uri };
    verifier.verify_headers(target, &headers, now, |access_key| {
        (access_key == credentials.access_key).then(|| credentials.secret_key.clone())
    })
}

#[test]
fn the_verifier_accepts_what_the_signer_signs() {
    let verified = verify_changed(|_, _, _| {}).unwrap();
    assert_eq!(verified.access_key, "AKIAIOSFODNN7EXAMPLE");
    assert_eq!(verified.payload, PayloadMode::of(b"body"));
    // The server sees only path and query.
    assert!(verify_changed(|uri, _, _| *uri = Uri::from_static("/v1/shards/7?cells=1")).is_ok());
}

#[test]
fn every_kind_of_tampering_is_noticed() {
    let mismatch = Err(VerifyError::SignatureMismatch);
    assert_eq!(verify_changed(|uri, _, _| *uri = Uri::from_static("/v1/shards/8?cells=1")), mismatch);
    assert_eq!(verify_changed(|uri, _, _| *uri = Uri::from_static("/v1/shards/7?cells=2")), mismatch);
    assert_eq!(
        verify_changed(|_, headers, _| {
            headers.insert("x-cairn-epoch", HeaderValue::from_static("5"));
        }),
        mismatch
    );
    assert_eq!(
        verify_changed(|_, headers, _| {
            headers.insert("x-cairn-other", HeaderValue::from_static("5"));
        }),
        Err(VerifyError::UnsignedHeader("x-cairn-other".into()))
    );
    assert_eq!(
        verify_changed(|_, headers, _| {
            headers.remove("authorization");
        }),
        Err(VerifyError::MissingHeader("authorization"))
    );
    assert!(matches!(verify_changed(|_, _, now| *now += Duration::from_secs(901)), Err(VerifyError::Skewed { .. })));
    assert!(verify_changed(|_, _, now| *now += Duration::from_mins(15)).is_ok());
}

#[test]
fn scope_and_access_key_are_checked() {
    let rewrite = |from: &'static str, to: &'static str| {
        verify_changed(move |_, headers, _| {
            let text = headers["authorization"].to_str().unwrap().replace(from, to);
            headers.insert("authorization", HeaderValue::from_str(&text).unwrap());
        })
    };
    assert!(matches!(rewrite("/cairn-rpc/", "/s3/"), Err(VerifyError::Scope { .. })));
    assert!(matches!(rewrite("/20130524/", "/20130523/"), Err(VerifyError::Scope { .. })));
    assert_eq!(rewrite("AKIAIOSFODNN7EXAMPLE", "NOBODY"), Err(VerifyError::UnknownAccessKey("NOBODY".into())));
}
