//! Versioning of buckets on a running server, over restarts.
//!
//! Covers I17 (what is deleted by its id is gone, and what lies under a delete marker is not), I19 (a condition is about
//! the newest version, and a delete marker is none) and I29 (nothing of deleted versions is left on the disks).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use cairn_cli::s3::{Client, Deleted, ListedVersion, S3Error, S3Request, VersionMarker, VersionQuery};
use cairn_core::version::Versioning;
use cairn_tests::storage_class::copy_as;
use cairn_tests::{AllInOne, Content, verify_body};
use http::header::IF_NONE_MATCH;
use http::{HeaderValue, Method, StatusCode};

const BUCKET: &str = "versioned";
const KEY: &str = "dir/key";
const BYTES: u64 = 100_000;
/// The id of no version: commits never reach this number.
const NEVER: &str = "ffffffffffffffffffffffffffffffff";

fn content(seed: u64) -> Content {
    Content::new(seed, BYTES)
}

async fn start(versioning: Versioning) -> (AllInOne, Client) {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    if versioning != Versioning::Unversioned {
        client.set_versioning(BUCKET, versioning).await.unwrap();
    }
    (server, client)
}

/// Stores a version and returns its id, which a bucket with versioning gives.
async fn put(client: &mut Client, key: &str, seed: u64) -> String {
    client.put_version(BUCKET, key, content(seed).bytes()).await.unwrap().expect("a version id")
}

/// Demands that the key holds these bytes, which GET and HEAD say are of version `id`.
async fn assert_current(client: &mut Client, key: &str, seed: u64, id: &str) {
    let info = client.head(BUCKET, key).await.unwrap();
    assert_eq!(info.header("x-amz-version-id"), Some(id), "{key}");
    let body = client.get(BUCKET, key).await.unwrap();
    assert_eq!(body.info().header("x-amz-version-id"), Some(id), "{key}");
    verify_body(body, content(seed), 0..BYTES).await.unwrap();
}

async fn assert_version(client: &mut Client, key: &str, id: &str, seed: u64) {
    let body = client.get_version(BUCKET, key, id).await.unwrap();
    verify_body(body, content(seed), 0..BYTES).await.unwrap();
}

/// Demands that the key is hidden by this delete marker.
async fn assert_hidden(client: &mut Client, key: &str, marker: &str) {
    let error = client.get(BUCKET, key).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(StatusCode::NOT_FOUND), "NoSuchKey"), "{error}");
    assert_eq!(marker_in(&error), Some(marker), "{error}");
    let error = client.get_version(BUCKET, key, marker).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(StatusCode::METHOD_NOT_ALLOWED), "MethodNotAllowed"));
    assert_eq!(marker_in(&error), Some(marker), "{error}");
    let error = client.head(BUCKET, key).await.unwrap_err();
    assert_eq!((error.status(), marker_in(&error)), (Some(StatusCode::NOT_FOUND), Some(marker)));
}

fn marker_in(error: &S3Error) -> Option<&str> {
    error.service()?.delete_marker.as_deref()
}

async fn listed(client: &mut Client) -> Vec<ListedVersion> {
    let page = client.list_versions(BUCKET, &VersionQuery::default()).await.unwrap();
    assert_eq!(page.next, None);
    page.versions
}

/// Demands that there are these versions, the newest first; a delete marker is written with a minus before its id.
async fn assert_listed(client: &mut Client, expected: &[&str]) {
    let listed = listed(client).await;
    let ids: Vec<String> =
        listed.iter().map(|version| format!("{}{}", if version.is_marker { "-" } else { "" }, version.id)).collect();
    assert_eq!(ids, expected);
    let latest: Vec<bool> = listed.iter().map(|version| version.is_latest).collect();
    assert_eq!(latest, (0..expected.len()).map(|at| at == 0).collect::<Vec<_>>(), "only the first is the newest");
}

fn marker(id: &str) -> String {
    format!("-{id}")
}

#[tokio::test]
async fn versions_stay_until_they_are_deleted_by_their_ids() {
    let (mut server, mut client) = start(Versioning::Unversioned).await;
    assert_eq!(client.put_version(BUCKET, KEY, content(0).bytes()).await.unwrap(), None);
    assert_eq!(client.head(BUCKET, KEY).await.unwrap().header("x-amz-version-id"), None, "it never was versioned");
    assert_version(&mut client, KEY, "null", 0).await;

    client.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    assert_current(&mut client, KEY, 0, "null").await;
    let one = put(&mut client, KEY, 1).await;
    let two = put(&mut client, KEY, 2).await;
    assert_ne!(one, two);
    let hidden = client.delete_version(BUCKET, KEY, None).await.unwrap();
    let top = hidden.version.clone().unwrap();
    assert!(hidden.is_marker, "{hidden:?}");
    server.restart().await;
    client = server.client();

    assert_hidden(&mut client, KEY, &top).await;
    assert!(client.list_all(BUCKET, "").await.unwrap().is_empty(), "a listing of objects passes over it");
    assert_listed(&mut client, &[&marker(&top), &two, &one, "null"]).await;
    for (id, seed) in [("null", 0), (one.as_str(), 1), (two.as_str(), 2)] {
        assert_version(&mut client, KEY, id, seed).await;
    }
    let error = client.get_version(BUCKET, KEY, NEVER).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(StatusCode::NOT_FOUND), "NoSuchVersion"));

    // Without its marker the key is visible again, and without its newest version the one below it is current.
    let unhidden = client.delete_version(BUCKET, KEY, Some(&top)).await.unwrap();
    assert_eq!(unhidden, Deleted { version: Some(top.clone()), is_marker: true });
    assert_current(&mut client, KEY, 2, &two).await;
    for _ in 0..2 {
        let gone = client.delete_version(BUCKET, KEY, Some(&two)).await.unwrap();
        assert_eq!(gone, Deleted { version: Some(two.clone()), is_marker: false }, "again is no error");
    }
    assert_current(&mut client, KEY, 1, &one).await;

    // A version is brought back by a copy onto its own key, and stays where it is.
    copy_as(&mut client, &format!("{BUCKET}/{KEY}?versionId=null"), BUCKET, KEY, None).await.unwrap();
    let copied = listed(&mut client).await[0].id.clone();
    assert_current(&mut client, KEY, 0, &copied).await;
    assert_listed(&mut client, &[&copied, &one, "null"]).await;
    let status = server.admin().cluster().await.unwrap();
    assert_eq!((status.objects, status.object_bytes), (3, 3 * BYTES), "every version counts");

    server.stop_sound("after versions were deleted").await;
    server.start_again().await;
    client = server.client();
    assert_current(&mut client, KEY, 0, &copied).await;
    assert_version(&mut client, KEY, &one, 1).await;
    assert_version(&mut client, KEY, "null", 0).await;
}

#[tokio::test]
async fn a_suspended_bucket_has_one_version_without_an_id() {
    let (mut server, mut client) = start(Versioning::Enabled).await;
    let one = put(&mut client, KEY, 1).await;
    client.set_versioning(BUCKET, Versioning::Suspended).await.unwrap();
    for seed in [2, 3] {
        assert_eq!(client.put_version(BUCKET, KEY, content(seed).bytes()).await.unwrap(), None);
        assert_current(&mut client, KEY, seed, "null").await;
        assert_listed(&mut client, &["null", &one]).await;
    }
    for _ in 0..2 {
        let hidden = client.delete_version(BUCKET, KEY, None).await.unwrap();
        assert_eq!(hidden, Deleted { version: Some("null".to_owned()), is_marker: true });
        assert_listed(&mut client, &["-null", &one]).await;
    }
    assert_hidden(&mut client, KEY, "null").await;
    assert_version(&mut client, KEY, &one, 1).await;
    server.restart().await;
    client = server.client();

    client.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    let four = put(&mut client, KEY, 4).await;
    assert_listed(&mut client, &[&four, "-null", &one]).await;
    let gone = client.delete_version(BUCKET, KEY, Some("null")).await.unwrap();
    assert_eq!(gone, Deleted { version: Some("null".to_owned()), is_marker: true });
    client.delete_version(BUCKET, KEY, Some(&four)).await.unwrap();
    assert_current(&mut client, KEY, 1, &one).await;
    assert_listed(&mut client, &[&one]).await;
    server.stop_sound("after null versions were replaced").await;
}

#[tokio::test]
async fn uploads_copies_and_conditions_know_versions() {
    let (mut server, mut client) = start(Versioning::Enabled).await;
    let one = put(&mut client, KEY, 1).await;
    let upload = client.create_upload(BUCKET, KEY).await.unwrap();
    let part = client.upload_part(BUCKET, KEY, &upload, 1, content(2).bytes()).await.unwrap();
    client.complete_upload(BUCKET, KEY, &upload, &[part]).await.unwrap();
    let two = listed(&mut client).await[0].id.clone();
    assert_current(&mut client, KEY, 2, &two).await;
    assert_listed(&mut client, &[&two, &one]).await;

    let only_new = |seed| {
        let request = S3Request::new(Method::PUT, BUCKET, KEY).header(IF_NONE_MATCH, HeaderValue::from_static("*"));
        request.body(content(seed).bytes())
    };
    let error = client.execute_document(only_new(3)).await.unwrap_err();
    assert_eq!(error.code(), "PreconditionFailed");
    let top = client.delete_version(BUCKET, KEY, None).await.unwrap().version.unwrap();
    let from_marker = copy_as(&mut client, &format!("{BUCKET}/{KEY}"), BUCKET, "copy", None).await.unwrap_err();
    assert_eq!(from_marker.code(), "NoSuchKey");
    let from_named = format!("{BUCKET}/{KEY}?versionId={top}");
    let from_named = copy_as(&mut client, &from_named, BUCKET, "copy", None).await.unwrap_err();
    assert_eq!((from_named.status(), from_named.code()), (Some(StatusCode::BAD_REQUEST), "InvalidRequest"));
    client.execute_document(only_new(3)).await.expect("there is nothing under a delete marker");
    let three = listed(&mut client).await[0].id.clone();
    assert_current(&mut client, KEY, 3, &three).await;
    assert_listed(&mut client, &[&three, &marker(&top), &two, &one]).await;
    let error = client.execute_document(only_new(4)).await.unwrap_err();
    assert_eq!(error.code(), "PreconditionFailed");

    let from_old = format!("{BUCKET}/{KEY}?versionId={one}");
    copy_as(&mut client, &from_old, BUCKET, "copy", None).await.unwrap();
    verify_body(client.get(BUCKET, "copy").await.unwrap(), content(1), 0..BYTES).await.unwrap();
    server.stop_sound("after copies of versions").await;
}

#[tokio::test]
async fn malformed_and_unknown_version_ids_are_refused() {
    let (_server, mut client) = start(Versioning::Enabled).await;
    put(&mut client, KEY, 1).await;
    for (method, key, query, status, code) in [
        (Method::GET, KEY, "versionId=", 400, "InvalidArgument"),
        (Method::GET, KEY, "versionId=abc", 400, "InvalidArgument"),
        (Method::DELETE, KEY, "versionId=abc", 400, "InvalidArgument"),
        (Method::PUT, KEY, "versionId=null", 400, "InvalidArgument"),
        (Method::GET, KEY, "versionId=null", 404, "NoSuchVersion"),
        (Method::GET, "nothing", "versionId=null", 404, "NoSuchVersion"),
        (Method::GET, "", "versions=&version-id-marker=null", 400, "InvalidArgument"),
        (Method::GET, "", "versions=&key-marker=a&version-id-marker=", 400, "InvalidArgument"),
        (Method::GET, "", "versions=&key-marker=a&version-id-marker=abc", 400, "InvalidArgument"),
    ] {
        let request = S3Request::new(method.clone(), BUCKET, key).query(query);
        let error = client.execute_document(request).await.unwrap_err();
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!((error.status(), error.code()), (Some(status), code), "{method} {key}?{query}");
    }
    for (inner, code) in [
        ("<Status>enabled</Status>", "MalformedXML"),
        ("", "IllegalVersioningConfigurationException"),
        ("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>", "NotImplemented"),
    ] {
        let document = format!("<VersioningConfiguration>{inner}</VersioningConfiguration>");
        let request = S3Request::new(Method::PUT, BUCKET, "").query("versioning=").body(Bytes::from(document));
        assert_eq!(client.execute_document(request).await.unwrap_err().code(), code, "{inner}");
    }
    let request = S3Request::new(Method::GET, BUCKET, "").query("versioning=");
    let (_, document) = client.execute_document(request).await.unwrap();
    assert!(document.ends_with(b"<Status>Enabled</Status></VersioningConfiguration>"), "{document:?}");
}

/// Every page of a listing, with at most `max_keys` entries each.
async fn paged(client: &mut Client, prefix: &str, delimiter: &str, max_keys: u32) -> (Vec<ListedVersion>, Vec<String>) {
    let (mut versions, mut common_prefixes) = (Vec::new(), Vec::new());
    let mut after: Option<VersionMarker> = None;
    loop {
        let query = VersionQuery { prefix, delimiter, after: after.as_ref(), max_keys: Some(max_keys) };
        let page = client.list_versions(BUCKET, &query).await.unwrap();
        let entries = page.versions.len() + page.common_prefixes.len();
        assert!((1..=max_keys as usize).contains(&entries), "{entries} of {max_keys} after {after:?}");
        versions.extend(page.versions);
        common_prefixes.extend(page.common_prefixes);
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            Some(next) => panic!("the listing does not advance from {next:?}"),
            None => return (versions, common_prefixes),
        }
    }
}

#[tokio::test]
async fn pages_of_versions_put_together_are_the_listing_and_empty_the_bucket() {
    let (mut server, mut client) = start(Versioning::Unversioned).await;
    let kept = "kept";
    client.create_bucket(kept).await.unwrap();
    client.put(kept, KEY, content(0).bytes()).await.unwrap();
    let keys = ["a", "a/1", "a/2", "b", "b+c/1", "b/", "b/1/x", "b/1/y", "c"];
    client.put(BUCKET, "a/1", content(1).bytes()).await.unwrap();
    client.set_versioning(BUCKET, Versioning::Enabled).await.unwrap();
    for (seed, key) in (2..).zip(keys) {
        put(&mut client, key, seed).await;
    }
    for key in ["a/1", "b/1/x", "c", "never"] {
        client.delete_version(BUCKET, key, None).await.unwrap();
    }
    for key in ["a/1", "b", "b/1/x"] {
        put(&mut client, key, 99).await;
    }
    let all = listed(&mut client).await;
    assert_eq!(all.len(), 1 + keys.len() + 4 + 3);
    assert!(all.is_sorted_by(|a, b| a.key < b.key || (a.key == b.key && !b.is_latest)), "{all:#?}");
    assert!(all.iter().all(|version| version.size == if version.is_marker { 0 } else { BYTES }), "{all:#?}");

    for (prefix, delimiter, prefixes) in [
        ("", "", &[][..]),
        ("", "/", &["a/", "b+c/", "b/"][..]),
        ("b", "/", &["b+c/", "b/"][..]),
        ("b/", "/", &["b/1/"][..]),
        ("b", "", &[][..]),
        ("a/1", "/", &[][..]),
    ] {
        let expected: Vec<ListedVersion> = all
            .iter()
            .filter(|version| version.key.starts_with(prefix))
            .filter(|version| !prefixes.iter().any(|common| version.key.starts_with(common)))
            .cloned()
            .collect();
        for max_keys in (1..=8).chain([1000]) {
            let (versions, common_prefixes) = paged(&mut client, prefix, delimiter, max_keys).await;
            assert_eq!(versions, expected, "{prefix:?} {delimiter:?} {max_keys}");
            assert_eq!(common_prefixes, prefixes, "{prefix:?} {delimiter:?} {max_keys}");
        }
    }
    let none = client.list_versions(BUCKET, &VersionQuery { max_keys: Some(0), ..VersionQuery::default() }).await;
    assert_eq!(none.unwrap(), cairn_cli::s3::VersionPage::default());
    // A key without a version is a place after all of its versions.
    let after = VersionMarker { key: "b/1/x".to_owned(), version: None };
    let rest = VersionQuery { after: Some(&after), ..VersionQuery::default() };
    let rest = client.list_versions(BUCKET, &rest).await.unwrap().versions;
    assert_eq!(rest.first().map(|version| version.key.as_str()), Some("b/1/y"));

    // What is deleted while it is listed is a place still.
    let mut after: Option<VersionMarker> = None;
    loop {
        let query = VersionQuery { after: after.as_ref(), max_keys: Some(3), ..VersionQuery::default() };
        let page = client.list_versions(BUCKET, &query).await.unwrap();
        assert_eq!(client.delete_bucket(BUCKET).await.unwrap_err().code(), "BucketNotEmpty");
        for version in &page.versions {
            let deleted = client.delete_version(BUCKET, &version.key, Some(&version.id)).await.unwrap();
            assert_eq!(deleted, Deleted { version: Some(version.id.clone()), is_marker: version.is_marker });
        }
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert!(listed(&mut client).await.is_empty());
    client.delete_bucket(BUCKET).await.unwrap();
    server.stop_sound("after a bucket of versions was emptied").await;
}
