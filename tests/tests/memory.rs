//! Memory stays bounded for objects of any size.
//!
//! Covers I23 for one large object beside other clients.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use cairn_cli::unit::parse_bytes;
use cairn_tests::{AllInOne, Content, Ledger, Load, Mix, seed, verify_body};

const BUCKET: &str = "memory";
/// Peak resident memory that the server may reach.
const PEAK_BYTES_MAX: u64 = 300 << 20;
/// Bytes of a part of the large object.
const PART_BYTES: u64 = 128 << 20;
/// Clients beside the one with the large object.
const OTHERS: u32 = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_object_does_not_grow_the_server() {
    let text = std::env::var("CAIRN_MEMORY_OBJECT").unwrap_or_else(|_| "512MiB".to_owned());
    let content = Content::new(seed(), parse_bytes(&text).expect("CAIRN_MEMORY_OBJECT is a size"));
    let mut server = AllInOne::start().await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let mix = Mix { put: 45, get: 45, delete: 9, multipart: 1, sizes: &[4 << 10, 64 << 10, 1 << 20, 8 << 20] };
    let (accounts, bucket) = (vec![server.account()], BUCKET.to_owned());
    let others = Load { accounts, bucket, mix, workers: OTHERS, attempts: 1, seed: content.seed }.start(Ledger::new());

    let upload = client.create_upload(BUCKET, "large").await.unwrap();
    let (mut parts, mut start) = (Vec::new(), 0);
    while start < content.length {
        let end = (start + PART_BYTES).min(content.length);
        let number = parts.len() as u32 + 1;
        let part = client.upload_part(BUCKET, "large", &upload, number, content.body(start..end)).await;
        parts.push(part.unwrap_or_else(|e| panic!("part {number}: {e}")));
        start = end;
    }
    client.complete_upload(BUCKET, "large", &upload, &parts).await.unwrap();
    let after_put = server.process().peak_rss_bytes();
    let body = client.get(BUCKET, "large").await.unwrap();
    verify_body(body, content, 0..content.length).await.unwrap();

    let (_, stats) = others.stop().await;
    let peak = server.process().peak_rss_bytes();
    eprintln!(
        "{} in and out beside {OTHERS} clients ({} changes, {} reads): peak {} MiB, {} MiB of it before the read",
        text,
        stats.acknowledged,
        stats.reads,
        peak >> 20,
        after_put >> 20
    );
    assert!(stats.violations.is_empty(), "{:#?}", stats.violations);
    assert!(stats.acknowledged > 0 && stats.reads > 0, "the other clients worked: {stats:#?}");
    assert!(peak < PEAK_BYTES_MAX, "the server's memory peaked at {} MiB", peak >> 20);
}
