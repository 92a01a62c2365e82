//! The ledger check, which decides the other tests, notices each violation: a lost object, wrong bytes, an unknown key, garbage.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use cairn_tests::{AllInOne, Content, Ledger, Outcome, Version, ledger_check};

const BUCKET: &str = "audited";

/// The violations found when the ledger says that `key` holds `promised`, after `behind` changed the bucket without the
/// ledger.
async fn found(promised: Option<Content>, behind: Option<&Content>) -> Vec<String> {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    if let Some(content) = behind {
        client.put(BUCKET, "key", content.bytes()).await.unwrap();
    }
    let mut ledger = Ledger::new();
    ledger.record("key", promised.map(Version::whole), Outcome::Yes);
    ledger_check::violations(&server.account(), BUCKET, &mut ledger).await
}

#[tokio::test]
async fn kept_promises_are_no_violation() {
    let content = Content::new(1, 100_000);
    assert_eq!(found(Some(content), Some(&content)).await, Vec::<String>::new());
    assert_eq!(found(None, None).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_lost_object_is_noticed() {
    let wrong = found(Some(Content::new(1, 10)), None).await;
    assert!(wrong.len() == 1 && wrong[0].contains("NoSuchKey"), "{wrong:?}");
}

#[tokio::test]
async fn other_bytes_are_noticed() {
    let content = Content::new(1, 100_000);
    let wrong = found(Some(content), Some(&Content::new(2, 100_000))).await;
    assert!(wrong.len() == 1 && wrong[0].contains("byte 0 differs"), "{wrong:?}");
    let wrong = found(Some(content), Some(&Content::new(1, 99_999))).await;
    assert!(wrong.len() == 1 && wrong[0].contains("99999 bytes come"), "{wrong:?}");
}

#[tokio::test]
async fn a_deleted_object_that_reappears_is_noticed() {
    let wrong = found(None, Some(&Content::new(1, 10))).await;
    assert!(wrong.len() == 1 && wrong[0].contains("should not exist"), "{wrong:?}");
}

#[tokio::test]
async fn an_unknown_key_in_the_listing_is_noticed() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    client.put(BUCKET, "stray", Bytes::from_static(b"x")).await.unwrap();
    let wrong = ledger_check::violations(&server.account(), BUCKET, &mut Ledger::new()).await;
    assert_eq!(wrong, ["stray: listed, and gone"]);
}

#[tokio::test]
async fn garbage_is_noticed() {
    let server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    client.put(BUCKET, "key", Bytes::from(vec![1; 100_000])).await.unwrap();
    ledger_check::assert_shards(server.admin(), 6..=6).await;
    let none = ledger_check::assert_shards(server.admin(), 0..=0);
    assert!(tokio::time::timeout(Duration::from_secs(3), none).await.is_err(), "six shards are not none");
}
