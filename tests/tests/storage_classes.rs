//! Storage classes: an object keeps the class that it was given, and is coded as the most specific rule for bucket and
//! class says, at once and when it is re-encoded.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::process::Output;
use std::time::Duration;

use bytes::Bytes;
use cairn_cli::admin::{Placement, ProfileRule};
use cairn_core::storage_class::StorageClass;
use cairn_tests::storage_class::{class_of, copy_as, put_as, put_parts_as};
use cairn_tests::{AllInOne, Tuning, eventually};

const BUCKET: &str = "first";
const OTHER: &str = "second";
const LIMIT: Duration = Duration::from_mins(2);
const COLD: StorageClass = StorageClass::GlacierIr;
const RARE: StorageClass = StorageClass::StandardIa;

fn body(seed: u8) -> Bytes {
    Bytes::from(vec![seed; 100_000])
}

fn said(output: &Output) -> String {
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

/// The shapes of an object's extents.
async fn shapes(server: &AllInOne, bucket: &str, key: &str) -> Vec<String> {
    let placed: Placement = server.admin().get(&format!("/v1/placement/{bucket}/{key}")).await.unwrap();
    placed.extents.into_iter().map(|extent| extent.profile).collect()
}

/// Waits until the gateway uses the rules. It gets a new map with its next renewal.
async fn coded_as(server: &AllInOne, bucket: &str, key: &str, class: StorageClass, expected: &str) {
    eventually(&format!("{class} in {bucket} is coded as {expected}"), LIMIT, async || {
        put_as(&mut server.client(), bucket, key, class, body(1)).await.map_err(|e| e.to_string())?;
        let found = shapes(server, bucket, key).await;
        if found == [expected] { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_coded_by_the_rule_of_their_class_and_re_encoded_by_it() {
    let mut server = AllInOne::start_with(Tuning { disks: 7, ..Tuning::default() }).await;
    let mut client = server.client();
    for bucket in [BUCKET, OTHER] {
        client.create_bucket(bucket).await.unwrap();
        put_as(&mut client, bucket, "before", COLD, body(2)).await.unwrap();
        put_as(&mut client, bucket, "plain", StorageClass::Standard, body(3)).await.unwrap();
    }
    let parts = [Bytes::from(vec![4; 5 << 20]), body(5)];
    put_parts_as(&mut client, BUCKET, "parts", COLD, &parts).await.unwrap();
    assert_eq!(shapes(&server, BUCKET, "before").await, ["4+2"], "without a rule all classes are coded alike");

    let refused = server.verb(&["profile", "set", "4+3", "--class", "GLACIER"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && text.contains("GLACIER_IR"), "what there is, is named: {text}");
    said(&server.verb(&["profile", "set", "4+3", "--class", COLD.name()]));
    said(&server.verb(&["profile", "set", "5+2", "--class", COLD.name(), "--bucket", OTHER]));
    let listed = said(&server.verb(&["profile", "list"]));
    assert!(listed.contains(COLD.name()) && listed.contains(OTHER), "{listed}");
    let rules: Vec<ProfileRule> = server.admin().get("/v1/profiles/rules").await.unwrap();
    let scopes: Vec<_> = rules.iter().map(|rule| (rule.bucket.as_deref(), rule.class.as_deref())).collect();
    assert_eq!(scopes, [(None, None), (None, Some(COLD.name())), (Some(OTHER), Some(COLD.name()))]);

    coded_as(&server, BUCKET, "after", COLD, "4+3").await;
    coded_as(&server, OTHER, "after", COLD, "5+2").await;
    coded_as(&server, BUCKET, "rare", RARE, "4+2").await;
    coded_as(&server, BUCKET, "plain", StorageClass::Standard, "4+2").await;

    // Copies: of the class that is named, else of the default class whatever the source is of. Onto itself an object may
    // be copied to change nothing but its class.
    let source = format!("{BUCKET}/after");
    copy_as(&mut client, &source, BUCKET, "copy", None).await.unwrap();
    copy_as(&mut client, &source, BUCKET, "copy-cold", Some(COLD)).await.unwrap();
    let idle = copy_as(&mut client, &source, BUCKET, "after", None).await.unwrap_err();
    assert_eq!(idle.code(), "InvalidRequest");
    copy_as(&mut client, &source, BUCKET, "after", Some(RARE)).await.unwrap();
    for (key, class, shape) in
        [("copy", StorageClass::Standard, "4+2"), ("copy-cold", COLD, "4+3"), ("after", RARE, "4+2")]
    {
        assert_eq!(class_of(&mut client, BUCKET, key).await.unwrap(), class, "{key}");
        assert_eq!(shapes(&server, BUCKET, key).await, [shape], "{key}");
        assert_eq!(client.get(BUCKET, key).await.unwrap().collect().await.unwrap(), body(1), "{key}");
    }

    // What was stored before the rules is re-encoded by them, and stays of its class.
    assert_eq!(shapes(&server, BUCKET, "parts").await, ["4+2", "4+2"]);
    let reencoded = said(&server.verb(&["rebalance", "start", "--reprotect", "--wait"]));
    assert!(reencoded.contains("everything is coded as new objects are"), "{reencoded}");
    assert_eq!(shapes(&server, BUCKET, "parts").await, ["4+3", "4+3"]);
    assert_eq!(shapes(&server, BUCKET, "before").await, ["4+3"]);
    assert_eq!(shapes(&server, OTHER, "before").await, ["5+2"]);
    assert_eq!(shapes(&server, OTHER, "plain").await, ["4+2"]);
    for (bucket, key, class) in [
        (BUCKET, "parts", COLD),
        (BUCKET, "before", COLD),
        (OTHER, "before", COLD),
        (OTHER, "plain", StorageClass::Standard),
    ] {
        assert_eq!(class_of(&mut client, bucket, key).await.unwrap(), class, "{bucket}/{key}");
    }
    assert_eq!(client.get(BUCKET, "parts").await.unwrap().collect().await.unwrap(), parts.concat());

    let explained = said(&server.verb(&["placement", "explain", OTHER, "before"]));
    assert!(explained.contains("class GLACIER_IR") && explained.contains("5+2"), "{explained}");
    let shown = said(&server.verb(&["profile", "show", OTHER, "--class", RARE.name()]));
    assert!(shown.contains("as the cluster's size allows"), "{shown}");
    let back = said(&server.verb(&["profile", "set", "default", "--class", COLD.name(), "--bucket", OTHER]));
    assert!(back.contains("that of class GLACIER_IR") && back.contains("4+3"), "{back}");
    coded_as(&server, OTHER, "after", COLD, "4+3").await;
    server.stop().await;
}
