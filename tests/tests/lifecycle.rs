//! Lifecycle rules on a running server, with days of a few seconds.
//!
//! Covers I17 (what has ended is in neither GET nor LIST, also after a restart), I19 (an overwrite wins over the end of
//! what it replaced) and I29 (nothing of it is left on the disks).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use cairn_cli::s3::{Client, S3Request};
use cairn_tests::{AllInOne, Content, Tuning, eventually, lifecycle};
use http::{Method, StatusCode};

const BUCKET: &str = "lives";
const LIMIT: Duration = Duration::from_mins(2);

/// A rule that ends objects after `days`.
fn rule(id: &str, filter: &str, days: u32) -> String {
    format!(
        "<Rule><ID>{id}</ID><Filter>{filter}</Filter><Status>Enabled</Status><Expiration><Days>{days}</Days></Expiration>\
         </Rule>"
    )
}

async fn listed(client: &mut Client) -> Vec<String> {
    client.list_all(BUCKET, "").await.unwrap().into_iter().map(|object| object.key).collect()
}

#[tokio::test]
async fn lifecycle_rules_end_what_they_match_and_nothing_else() {
    let mut server = AllInOne::start_with(Tuning { lifecycle_day_s: 3, ..Tuning::DEFAULT }).await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let off = rule("off", "<Prefix>off/</Prefix>", 1).replace("Enabled", "Disabled");
    let rules = [
        rule("days", "<Prefix>days/</Prefix>", 1),
        rule("size", "<And><Prefix>sized/</Prefix><ObjectSizeGreaterThan>1000</ObjectSizeGreaterThan></And>", 1),
        // Objects have no tags yet, so this matches none.
        rule("tags", "<And><Prefix>tagged/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And>", 1),
        rule("later", "<Prefix>later/</Prefix>", 1000),
        off,
        "<Rule><ID>date</ID><Prefix>dated/</Prefix><Status>Enabled</Status><Expiration>\
         <Date>2020-01-01T00:00:00Z</Date></Expiration></Rule>"
            .to_owned(),
        "<Rule><ID>uploads</ID><Filter><Prefix>up/</Prefix></Filter><Status>Enabled</Status>\
         <AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload>\
         </Rule>"
            .to_owned(),
        // Without versioning there are neither noncurrent versions nor delete markers, and so nothing to do.
        "<Rule><ID>versions</ID><Filter/><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true\
         </ExpiredObjectDeleteMarker></Expiration><NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays>\
         </NoncurrentVersionExpiration></Rule>"
            .to_owned(),
    ];
    lifecycle::set_rules(&mut client, BUCKET, &rules.concat()).await.unwrap();

    let large = Content::new(1, 300_000);
    let staying = ["later/a", "off/a", "other", "sized/small", "tagged/a"];
    let ending = ["dated/a", "days/a", "days/empty", "days/parts", "sized/large"];
    for key in ["later/a", "off/a", "other", "tagged/a", "days/a", "dated/a", "sized/large"] {
        client.put(BUCKET, key, large.bytes()).await.unwrap();
    }
    client.put(BUCKET, "sized/small", Bytes::from(vec![1; 1000])).await.unwrap();
    client.put(BUCKET, "days/empty", Bytes::new()).await.unwrap();
    let upload = client.create_upload(BUCKET, "days/parts").await.unwrap();
    let part = client.upload_part(BUCKET, "days/parts", &upload, 1, large.bytes()).await.unwrap();
    client.complete_upload(BUCKET, "days/parts", &upload, &[part]).await.unwrap();
    for key in ["up/a", "other-upload"] {
        let upload = client.create_upload(BUCKET, key).await.unwrap();
        client.upload_part(BUCKET, key, &upload, 1, large.bytes()).await.unwrap();
    }

    eventually("expired objects are gone", LIMIT, async || {
        let listed = listed(&mut client).await;
        let uploads = client.list_uploads(BUCKET, None).await.unwrap().uploads.len();
        if listed == staying && uploads == 1 { Ok(()) } else { Err(format!("{listed:?}, {uploads} uploads")) }
    })
    .await;
    for key in ending {
        assert_eq!(client.get(BUCKET, key).await.unwrap_err().code(), "NoSuchKey", "{key}");
    }
    let status = server.admin().cluster().await.unwrap();
    assert_eq!((status.objects, status.object_bytes, status.uploads), (5, 4 * 300_000 + 1000, 1), "usage is exact");

    cairn_tests::ledger_check::abort_uploads(&mut client, BUCKET).await.unwrap();
    server.stop_sound("after a lifecycle pass").await;
    server.start_again().await;
    assert_eq!(listed(&mut server.client()).await, staying, "nothing returns");
}

/// Only the time since the last write counts, even if the job has seen the previous version.
#[tokio::test]
async fn an_object_that_is_written_again_does_not_expire() {
    // Longer than a busy machine takes between two writes below.
    const DAY_S: u64 = 6;
    let server = AllInOne::start_with(Tuning { lifecycle_day_s: DAY_S, ..Tuning::DEFAULT }).await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    lifecycle::set_rules(&mut client, BUCKET, &rule("all", "", 1)).await.unwrap();
    client.put(BUCKET, "left", Bytes::from_static(b"x")).await.unwrap();
    let mut rounds = 0;
    eventually("an object that is left alone has gone, twice", LIMIT, async || {
        client.put(BUCKET, "kept", Bytes::from_static(b"y")).await.unwrap();
        client.get(BUCKET, "kept").await.unwrap().collect().await.unwrap();
        if client.head(BUCKET, "left").await.is_err() {
            rounds += 1;
            client.put(BUCKET, "left", Bytes::from_static(b"x")).await.unwrap();
        }
        if rounds == 2 { Ok(()) } else { Err(format!("{rounds} times so far")) }
    })
    .await;
    assert_eq!(listed(&mut client).await, ["kept", "left"]);
    // Without rules no object expires.
    client.execute_document(S3Request::new(Method::DELETE, BUCKET, "").query("lifecycle=")).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5 * DAY_S / 2)).await;
    assert_eq!(listed(&mut client).await, ["kept", "left"]);
}

#[tokio::test]
async fn responses_name_the_expiry_date_and_its_rule() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let expiration =
        |headers: &http::HeaderMap| headers.get("x-amz-expiration").map(|value| value.to_str().unwrap().to_owned());
    let put = || S3Request::new(Method::PUT, BUCKET, "logs/a").body(Bytes::from_static(b"x"));
    assert_eq!(expiration(&client.execute_document(put()).await.unwrap().0), None);
    let rules = rule("one two", "<Prefix>logs/</Prefix>", 7) + &rule("other", "<Prefix>x</Prefix>", 1);
    lifecycle::set_rules(&mut client, BUCKET, &rules).await.unwrap();
    let on_put = expiration(&client.execute_document(put()).await.unwrap().0).unwrap();
    assert!(
        on_put.starts_with("expiry-date=\"") && on_put.ends_with(" 00:00:00 GMT\", rule-id=\"one%20two\""),
        "{on_put}"
    );
    assert_eq!(client.head(BUCKET, "logs/a").await.unwrap().header("x-amz-expiration"), Some(on_put.as_str()));
    let body = client.get(BUCKET, "logs/a").await.unwrap();
    assert_eq!(body.info().header("x-amz-expiration"), Some(on_put.as_str()));
    body.collect().await.unwrap();
    // The gateway notices that the rules have changed.
    lifecycle::set_rules(&mut client, BUCKET, &rule("third", "", 9)).await.unwrap();
    let later = client.head(BUCKET, "logs/a").await.unwrap();
    assert!(later.header("x-amz-expiration").unwrap().ends_with("rule-id=\"third\""));
    let unchecked = S3Request::new(Method::PUT, BUCKET, "").query("lifecycle=").body(Bytes::from_static(b"<x/>"));
    let error = client.execute_document(unchecked).await.unwrap_err();
    assert_eq!((error.status(), error.code()), (Some(StatusCode::BAD_REQUEST), "InvalidRequest"));
}
