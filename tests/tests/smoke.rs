//! Every basic operation, on one process started as a user would start it.
//!
//! Covers I19 as far as one client can see it: an acknowledged write is visible at once in GET and in LIST.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use cairn_cli::s3::{ListQuery, S3Request};
use cairn_tests::tool::Tool;
use cairn_tests::{AllInOne, Content, verify_body};
use http::header::{CONTENT_TYPE, IF_NONE_MATCH, RANGE};
use http::{HeaderName, HeaderValue, Method, StatusCode};

const BUCKET: &str = "smoke";

#[tokio::test]
async fn objects_go_in_and_come_out() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let content = Content::new(7, 300_000);
    let etag = client.put(BUCKET, "a/b c+ü", content.bytes()).await.unwrap();
    assert_eq!(etag.len(), 32, "the ETag of a plain PUT is an MD5: {etag}");

    let info = client.head(BUCKET, "a/b c+ü").await.unwrap();
    assert_eq!((info.length(), info.etag()), (Some(300_000), Some(etag.clone())));
    let body = client.get(BUCKET, "a/b c+ü").await.unwrap();
    assert_eq!(body.info().etag(), Some(etag));
    verify_body(body, content, 0..300_000).await.unwrap();

    for (range, start, end) in
        [("bytes=0-0", 0, 1), ("bytes=299999-", 299_999, 300_000), ("bytes=-5", 299_995, 300_000)]
    {
        let request = S3Request::new(Method::GET, BUCKET, "a/b c+ü").header(RANGE, HeaderValue::from_static(range));
        let body = client.open(request).await.unwrap();
        assert_eq!(body.info().status, StatusCode::PARTIAL_CONTENT, "{range}");
        assert_eq!(body.info().object_length(), Some(300_000), "{range}");
        verify_body(body, content, start..end).await.unwrap();
    }

    client.delete(BUCKET, "a/b c+ü").await.unwrap();
    client.delete(BUCKET, "a/b c+ü").await.expect("deleting what is gone is no error");
    assert_eq!(client.get(BUCKET, "a/b c+ü").await.unwrap_err().code(), "NoSuchKey");
    assert_eq!(client.head(BUCKET, "a/b c+ü").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
    client.delete_bucket(BUCKET).await.unwrap();
    assert_eq!(client.head_bucket(BUCKET).await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn headers_that_a_client_sets_come_back() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let meta = HeaderName::from_static("x-amz-meta-origin");
    let request = S3Request::new(Method::PUT, BUCKET, "k")
        .header(CONTENT_TYPE, HeaderValue::from_static("text/x-cairn"))
        .header(meta, HeaderValue::from_static("Mount Doom"))
        .body(Bytes::from_static(b"ring"));
    client.execute_document(request).await.unwrap();
    let info = client.head(BUCKET, "k").await.unwrap();
    assert_eq!(
        (info.header("content-type"), info.header("x-amz-meta-origin")),
        (Some("text/x-cairn"), Some("Mount Doom"))
    );

    let condition = S3Request::new(Method::PUT, BUCKET, "k").header(IF_NONE_MATCH, HeaderValue::from_static("*"));
    let error = client.execute_document(condition.body(Bytes::from_static(b"other"))).await.unwrap_err();
    assert_eq!(error.code(), "PreconditionFailed");
    assert_eq!(client.get(BUCKET, "k").await.unwrap().collect().await.unwrap(), "ring");
}

#[tokio::test]
async fn listings_page_and_roll_up() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let mut keys: Vec<String> = (0..23).map(|n| format!("dir{}/key{n:02}", n % 3)).collect();
    keys.push("top".to_owned());
    for key in &keys {
        client.put(BUCKET, key, Bytes::from(key.clone())).await.unwrap();
    }
    keys.sort();

    let mut paged = Vec::new();
    let mut continuation: Option<String> = None;
    loop {
        let query = ListQuery { max_keys: Some(5), continuation: continuation.as_deref(), ..ListQuery::default() };
        let page = client.list(BUCKET, &query).await.unwrap();
        assert!(page.objects.len() <= 5);
        paged.extend(page.objects.into_iter().map(|object| object.key));
        continuation = page.continuation;
        if continuation.is_none() {
            break;
        }
    }
    assert_eq!(paged, keys);

    let page = client.list(BUCKET, &ListQuery { delimiter: "/", ..ListQuery::default() }).await.unwrap();
    assert_eq!(page.common_prefixes, ["dir0/", "dir1/", "dir2/"]);
    assert_eq!(page.objects.iter().map(|o| o.key.as_str()).collect::<Vec<_>>(), ["top"]);
    let listed = client.list_all(BUCKET, "dir1/").await.unwrap();
    assert_eq!(listed.len(), 8);
    assert!(listed.iter().all(|object| object.size == object.key.len() as u64));
    assert_eq!(client.delete_bucket(BUCKET).await.unwrap_err().code(), "BucketNotEmpty");
}

#[tokio::test]
async fn an_upload_in_parts_becomes_one_object() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let content = Content::new(3, (5 << 20) + 1000);
    let upload = client.create_upload(BUCKET, "parts").await.unwrap();
    let uploads = client.list_uploads(BUCKET, None).await.unwrap().uploads;
    assert_eq!((uploads.len(), uploads[0].upload_id.as_str()), (1, upload.as_str()));
    let one = client.upload_part(BUCKET, "parts", &upload, 1, content.body(0..5 << 20)).await.unwrap();
    let two = client.upload_part(BUCKET, "parts", &upload, 2, content.body(5 << 20..content.length)).await.unwrap();
    assert_eq!(client.head(BUCKET, "parts").await.unwrap_err().status(), Some(StatusCode::NOT_FOUND));

    let wrong = client.complete_upload(BUCKET, "parts", &upload, &[two.clone(), one.clone()]).await.unwrap_err();
    assert_eq!(wrong.code(), "InvalidPartOrder");
    let etag = client.complete_upload(BUCKET, "parts", &upload, &[one, two]).await.unwrap();
    assert!(etag.ends_with("-2"), "{etag}");
    let body = client.get(BUCKET, "parts").await.unwrap();
    verify_body(body, content, 0..content.length).await.unwrap();

    let given_up = client.create_upload(BUCKET, "never").await.unwrap();
    client.upload_part(BUCKET, "never", &given_up, 1, Bytes::from_static(b"x")).await.unwrap();
    client.abort_upload(BUCKET, "never", &given_up).await.unwrap();
    assert!(client.list_uploads(BUCKET, None).await.unwrap().uploads.is_empty());
}

#[tokio::test]
async fn objects_and_keys_survive_a_restart() {
    let mut server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let (small, large) = (Content::new(1, 10), Content::new(2, 3 << 20));
    client.put(BUCKET, "small", small.bytes()).await.unwrap();
    client.put(BUCKET, "large", large.bytes()).await.unwrap();
    let credentials = server.credentials();
    server.restart().await;
    assert_eq!(server.credentials().access_key, credentials.access_key);
    let mut client = server.client();
    for (key, content) in [("small", small), ("large", large)] {
        let body = client.get(BUCKET, key).await.unwrap();
        verify_body(body, content, 0..content.length).await.unwrap();
    }
}

#[tokio::test]
async fn the_admin_verbs_show_the_cluster() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    client.put(BUCKET, "k", Bytes::from_static(b"12345")).await.unwrap();
    let status = server.admin().cluster().await.unwrap();
    assert_eq!((status.buckets, status.objects, status.object_bytes), (1, 1, 5));
    assert_eq!((status.disks.total, status.disks.active), (6, 6));
    assert_eq!((status.profile.small.as_str(), status.profile.large.as_str()), ("1+2", "4+2"));

    let text = verb(&server, &["cluster", "status"]).run();
    assert!(text.contains(&status.cluster_id) && text.contains("4+2"), "{text}");
    let json: serde_json::Value = serde_json::from_str(&verb(&server, &["disk", "list", "--json"]).run()).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(6));
    let text = verb(&server, &["disk", "list"]).run();
    assert!(text.contains(server.disk(6).to_str().unwrap()), "{text}");

    let refused = verb(&server, &["disk", "list"]).env("CAIRN_SECRET_KEY", "wrong").output();
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("refused the keys from CAIRN_ACCESS_KEY"), "{text}");
    let unreachable = verb(&server, &["cluster", "status"]).env("CAIRN_ENDPOINT", "http://127.0.0.1:1").output();
    let text = String::from_utf8_lossy(&unreachable.stderr).into_owned();
    assert!(text.contains("http://127.0.0.1:1") && text.contains("cairn server"), "{text}");
}

#[tokio::test]
async fn the_admin_api_refuses_unsigned_requests() {
    let server = AllInOne::start().await;
    for path in ["/v1/cluster", "/v1/disks", "/v1/scrub"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        let answer = cairn_tests::raw::exchange(server.admin_port(), request.as_bytes()).await;
        assert!(matches!(answer.status, Some(401 | 403)), "{path}: {}", answer.text);
        assert!(!answer.text.contains("cluster_id"), "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn the_benchmark_measures_every_operation() {
    let server = AllInOne::start().await;
    for op in ["put", "get", "mixed", "list", "delete"] {
        let endpoint = server.s3_endpoint().to_string();
        let text = Tool::new(cairn_tests::cairn().to_str().unwrap(), &server)
            .args(["bench", "--endpoint", &endpoint, "--bucket", "bench", "--op", op, "--size", "4KiB", "--json"])
            .args(["--concurrency", "8", "--duration", "500ms", "--objects", "200"])
            .run();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&report["op"], &report["errors"]), (&op.into(), &0.into()), "{text}");
        assert!(report["ops"].as_u64() > Some(0) && report["latency_us"]["p999"].as_u64() > Some(0), "{text}");
    }
}

/// `cairn ARGUMENTS…` against the server's admin API.
fn verb(server: &AllInOne, arguments: &[&str]) -> Tool {
    let keys = server.credentials();
    Tool::new(cairn_tests::cairn().to_str().unwrap(), server)
        .args(arguments)
        .env("CAIRN_ENDPOINT", format!("http://127.0.0.1:{}", server.admin_port()))
        .env("CAIRN_ACCESS_KEY", keys.access_key.clone())
        .env("CAIRN_SECRET_KEY", keys.secret_key.expose())
}
