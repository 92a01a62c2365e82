//! What stands at the gateway's door: whom a request is for, and what it asks for besides its operation. What is not understood
//! is refused, and nothing is done.
//!
//! Covers I22 for S3: a signature opens what it was made for.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use bytes::Bytes;
use cairn_cli::s3::{Client, S3Request};
use cairn_core::clock::Clock;
use cairn_protocol::sigv4::{PayloadMode, RequestTarget};
use cairn_server::SystemClock;
use cairn_tests::{AllInOne, raw};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};

const BUCKET: &str = "vault";
const KEY: &str = "the-object";
const BODY: &[u8] = b"0123456789";

async fn start() -> (AllInOne, Client) {
    AllInOne::start_with_object(BUCKET, KEY, BODY).await
}

/// A request that was signed for `signed`, a whole URI, and is sent with another first line and other hosts.
async fn send(server: &AllInOne, method: &str, signed: &str, target: &str, hosts: &[&str]) -> raw::RawAnswer {
    let (method, uri): (Method, Uri) = (method.parse().unwrap(), signed.parse().unwrap());
    let mut headers = HeaderMap::new();
    let now = SystemClock::new().now();
    let line = RequestTarget { method: &method, uri: &uri };
    server.account().signer().sign_headers(line, &mut headers, now, PayloadMode::Unsigned).unwrap();
    headers.remove("host");
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    for host in hosts {
        write!(text, "host: {host}\r\n").unwrap();
    }
    for (name, value) in &headers {
        write!(text, "{name}: {}\r\n", value.to_str().unwrap()).unwrap();
    }
    raw::exchange(server.s3_port(), format!("{text}content-length: 0\r\nconnection: close\r\n\r\n").as_bytes()).await
}

async fn assert_untouched(client: &mut Client) {
    assert_eq!(client.get(BUCKET, KEY).await.unwrap().collect().await.unwrap(), BODY);
    assert_eq!(client.list_all(BUCKET, "").await.unwrap().len(), 1);
}

fn status(answer: &raw::RawAnswer) -> (Option<u16>, &str) {
    (answer.status, answer.code())
}

#[tokio::test]
async fn a_signature_for_one_host_opens_nothing_of_another() {
    let (server, mut client) = start().await;
    let port = server.s3_port();
    let other = format!("http://photos.localhost:{port}/{BUCKET}/{KEY}");
    let own = format!("127.0.0.1:{port}");
    for method in ["GET", "PUT", "DELETE"] {
        for hosts in [vec![], vec![own.as_str()], vec![own.as_str(), own.as_str()]] {
            let answer = send(&server, method, &other, &other, &hosts).await;
            assert_eq!(status(&answer), (Some(400), "InvalidRequest"), "{method} {hosts:?}: {}", answer.text);
        }
        let path = format!("/{BUCKET}/{KEY}");
        let answer = send(&server, method, &other, &path, &[&own]).await;
        assert_eq!(status(&answer), (Some(403), "SignatureDoesNotMatch"), "{method}: {}", answer.text);
    }
    let whole = format!("http://{own}/{BUCKET}/{KEY}");
    let answer = send(&server, "GET", &whole, &whole, &[&own]).await;
    assert_eq!(answer.status, Some(200), "a whole URI with the same host: {}", answer.text);
    assert_untouched(&mut client).await;
}

#[tokio::test]
async fn a_bucket_in_the_host_is_the_bucket() {
    let (server, mut client) = start().await;
    let port = server.s3_port();
    let host = format!("{BUCKET}.localhost:{port}");
    let object = format!("http://{host}/{KEY}");
    let answer = send(&server, "GET", &object, &format!("/{KEY}"), &[&host]).await;
    assert!(answer.status == Some(200) && answer.text.ends_with("0123456789"), "{}", answer.text);
    // An empty object whose key could be the name of a bucket.
    let answer = send(&server, "PUT", &format!("http://{host}/empty"), "/empty", &[&host]).await;
    assert_eq!(answer.status, Some(200), "{}", answer.text);
    assert_eq!(client.list_all(BUCKET, "").await.unwrap().len(), 2);
    client.delete(BUCKET, "empty").await.unwrap();
    let foreign = format!("{BUCKET}.example.net:{port}");
    let answer = send(&server, "PUT", &format!("http://{foreign}/empty"), "/empty", &[&foreign]).await;
    assert_eq!(status(&answer), (Some(400), "InvalidRequest"), "{}", answer.text);
    assert!(answer.text.contains("gateway.domains"), "{}", answer.text);
    let own = format!("127.0.0.1:{port}");
    for (path, code) in [("//vault/the-object", "InvalidBucketName"), ("//", "InvalidBucketName")] {
        let answer = send(&server, "GET", &format!("http://{own}{path}"), path, &[&own]).await;
        assert_eq!(status(&answer), (Some(400), code), "{path}: {}", answer.text);
    }
    let answer =
        send(&server, "PUT", &format!("http://{own}/not-made?x-id=PutObject"), "/not-made?x-id=PutObject", &[&own])
            .await;
    assert_eq!(status(&answer), (Some(400), "InvalidRequest"), "{}", answer.text);
    let (_, buckets) = client.execute_document(S3Request::new(Method::GET, "", "")).await.unwrap();
    let buckets = String::from_utf8(buckets.to_vec()).unwrap();
    assert!(!buckets.contains("empty") && !buckets.contains("not-made"), "{buckets}");
    assert_untouched(&mut client).await;
}

/// The status and code of the refusal of a request with these headers.
async fn refusal(client: &mut Client, request: S3Request<'_>, headers: &[(&'static str, &str)]) -> (u16, String) {
    let mut request = request;
    for (name, value) in headers {
        request = request.header(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let error = client.execute_document(request).await.expect_err("a refusal");
    let service = error.service().unwrap_or_else(|| panic!("an answer, not {error}"));
    (service.status.as_u16(), service.code.clone())
}

#[tokio::test]
async fn what_is_not_implemented_is_refused_and_nothing_is_done() {
    let (_server, mut client) = start().await;
    let not_implemented = (501, "NotImplemented".to_owned());
    for header in [
        ("x-amz-if-match-size", "99"),
        ("x-amz-if-match-last-modified-time", "Thu, 01 Jan 2015 00:00:00 GMT"),
        ("if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT"),
    ] {
        let delete = S3Request::new(Method::DELETE, BUCKET, KEY);
        assert_eq!(refusal(&mut client, delete, &[header]).await, not_implemented, "{header:?}");
    }
    for header in [
        ("x-amz-server-side-encryption-customer-key", "a2V5"),
        ("x-amz-checksum-sha512", "AAAA"),
        ("x-amz-tagging", "a=b"),
    ] {
        let put = S3Request::new(Method::PUT, BUCKET, KEY).body(Bytes::from_static(b"other"));
        assert_eq!(refusal(&mut client, put, &[header]).await, not_implemented, "{header:?}");
    }
    for header in [("x-amz-grant-write", "id=1"), ("x-amz-object-ownership", "ObjectWriter")] {
        let create = S3Request::new(Method::PUT, "not-made", "");
        assert_eq!(refusal(&mut client, create, &[header]).await, not_implemented, "{header:?}");
    }
    for header in [("cache-control", "no-store"), ("content-encoding", "gzip")] {
        let create = S3Request::new(Method::PUT, "not-made", "");
        assert_eq!(refusal(&mut client, create, &[header]).await.0, 400, "{header:?}");
    }
    let unknown = S3Request::new(Method::DELETE, BUCKET, KEY).query("annotation=");
    assert_eq!(refusal(&mut client, unknown, &[]).await, not_implemented);
    let name = S3Request::new(Method::PUT, "foo.-bar", "");
    assert_eq!(refusal(&mut client, name, &[]).await, (400, "InvalidBucketName".to_owned()));
    let owner = S3Request::new(Method::DELETE, BUCKET, KEY);
    let others = refusal(&mut client, owner, &[("x-amz-expected-bucket-owner", "111122223333")]).await;
    assert_eq!(others, (403, "AccessDenied".to_owned()));
    assert_untouched(&mut client).await;
}

#[tokio::test]
async fn a_completion_that_expects_another_object_is_refused() {
    let (_server, mut client) = start().await;
    let upload = client.create_upload(BUCKET, "whole").await.unwrap();
    let part = client.upload_part(BUCKET, "whole", &upload, 1, Bytes::from_static(b"hello")).await.unwrap();
    let (query, etag) = (format!("uploadId={upload}"), &part.etag);
    let complete = |more: &str| {
        let body = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag>{more}</Part>\
             </CompleteMultipartUpload>"
        );
        S3Request::new(Method::POST, BUCKET, "whole").query(&query).body(Bytes::from(body))
    };
    let size = |bytes| ("x-amz-mp-object-size", bytes);
    assert_eq!(refusal(&mut client, complete(""), &[size("99")]).await, (400, "InvalidRequest".to_owned()));
    assert_eq!(refusal(&mut client, complete(""), &[size("five")]).await, (400, "InvalidArgument".to_owned()));
    let unknown = ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=");
    assert_eq!(refusal(&mut client, complete(""), &[unknown]).await, (501, "NotImplemented".to_owned()));
    let wrong = "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>";
    assert_eq!(refusal(&mut client, complete(wrong), &[]).await, (400, "InvalidPart".to_owned()));
    assert_eq!(refusal(&mut client, complete("<Etag>x</Etag>"), &[]).await, (400, "MalformedXML".to_owned()));
    let right = HeaderName::from_static("x-amz-mp-object-size");
    client.execute_document(complete("").header(right, HeaderValue::from_static("5"))).await.unwrap();
    assert_eq!(client.get(BUCKET, "whole").await.unwrap().collect().await.unwrap(), b"hello"[..]);
}

#[tokio::test]
async fn a_range_of_another_version_is_the_whole_object() {
    let (_server, mut client) = start().await;
    let etag = client.head(BUCKET, KEY).await.unwrap().headers["etag"].to_str().unwrap().to_owned();
    for (version, status, bytes) in [(etag.as_str(), 206, "123"), ("\"0123\"", 200, "0123456789")] {
        let get = S3Request::new(Method::GET, BUCKET, KEY)
            .header(HeaderName::from_static("range"), HeaderValue::from_static("bytes=1-3"))
            .header(HeaderName::from_static("if-range"), HeaderValue::from_str(version).unwrap());
        let body = client.open(get).await.unwrap();
        assert_eq!(body.info().status.as_u16(), status, "{version}");
        assert_eq!(body.collect().await.unwrap(), bytes, "{version}");
    }
}

#[tokio::test]
async fn errors_say_what_they_are_about() {
    let (server, mut client) = start().await;
    let again = S3Request::new(Method::PUT, BUCKET, KEY).body(Bytes::from_static(b"other"));
    assert_eq!(refusal(&mut client, again, &[("if-none-match", "*")]).await.1, "PreconditionFailed");
    let own = format!("127.0.0.1:{}", server.s3_port());
    let answer = send(&server, "GET", &format!("http://{own}/no-such-bucket/k"), "/no-such-bucket/k", &[&own]).await;
    assert!(answer.text.contains("<BucketName>no-such-bucket</BucketName>"), "{}", answer.text);
}
