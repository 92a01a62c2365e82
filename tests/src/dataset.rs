//! A fixed set of objects whose sizes sit on the edges of the format.

use std::ops::RangeInclusive;
use std::sync::Arc;

use cairn_cli::s3::{Account, Client, CompletedPart, S3Request};
use cairn_core::limits::{CELL_BYTES_DEFAULT, EXTENT_BYTES_MAX, TINY_OBJECT_BYTES_MAX};
use http::Method;

use crate::{Content, Ledger, Outcome, Version, verify_body};

const MIB: u64 = 1 << 20;
const CELL: u64 = CELL_BYTES_DEFAULT as u64;
/// Bytes of a stripe in the 4+2 profile.
const STRIPE: u64 = 4 * CELL;
/// Bytes of the parts of one object: the minimum, an odd size, and a short end.
const PARTS: [u64; 3] = [5 * MIB, 5 * MIB + 12_345, MIB + 17];
const PARTS_KEY: &str = "in-parts";

/// Objects of every shape, in one bucket.
#[derive(Debug)]
pub struct Dataset {
    bucket: String,
    ledger: Ledger,
}

impl Dataset {
    pub async fn store(account: &Arc<Account>, bucket: &str, seed: u64) -> Self {
        let mut client = Client::new(account.clone());
        client.create_bucket(bucket).await.expect("a new bucket");
        let mut ledger = Ledger::new();
        let tiny = TINY_OBJECT_BYTES_MAX;
        let sizes =
            [0, 1, 4096, tiny, tiny + 1, CELL, STRIPE - 1, STRIPE, STRIPE + 1, MIB + 3, EXTENT_BYTES_MAX + MIB + 7];
        for size in sizes {
            let (key, content) = (format!("size/{size}"), Content::new(seed ^ size, size));
            client.put(bucket, &key, content.body(0..size)).await.unwrap_or_else(|e| panic!("PUT {key}: {e}"));
            ledger.record(&key, Some(Version::whole(content)), Outcome::Yes);
        }
        // Many small ones, so that each pair of disks holds shards of some of them.
        for number in 0..40 {
            let (key, content) = (format!("small/{number:02}"), Content::new(seed.wrapping_add(number), 100 + number));
            client.put(bucket, &key, content.bytes()).await.unwrap_or_else(|e| panic!("PUT {key}: {e}"));
            ledger.record(&key, Some(Version::whole(content)), Outcome::Yes);
        }
        let version = store_parts(&mut client, bucket, seed).await;
        ledger.record(PARTS_KEY, Some(version), Outcome::Yes);
        Self { bucket: bucket.to_owned(), ledger }
    }

    /// Shards of the objects on six healthy disks.
    pub fn shards(&self) -> u64 {
        self.ledger.shards()
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Reads every object, ranges of it and the parts, and returns what is wrong.
    pub async fn violations(&self, account: &Arc<Account>) -> Vec<String> {
        let mut wrong = crate::ledger_check::violations(account, &self.bucket, &mut self.ledger.clone()).await;
        let mut client = Client::new(account.clone());
        for (key, _) in self.ledger.iter() {
            let Some(Some(version)) = self.ledger.certain(key) else { continue };
            for range in ranges(version.content.length) {
                if let Err(reason) = read_range(&mut client, &self.bucket, key, version.content, range.clone()).await {
                    client.disconnect();
                    wrong.push(format!("{key}, bytes {range:?}: {reason}"));
                }
            }
        }
        wrong.extend(self.part_violations(&mut client).await);
        wrong
    }

    /// Panics with a list of everything that does not read as stored.
    pub async fn assert_reads(&self, account: &Arc<Account>, when: &str) {
        let wrong = self.violations(account).await;
        assert!(wrong.is_empty(), "{when}, {} reads are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    async fn part_violations(&self, client: &mut Client) -> Vec<String> {
        let Some(Some(version)) = self.ledger.certain(PARTS_KEY) else { return vec!["no object in parts".to_owned()] };
        let (mut wrong, mut start) = (Vec::new(), 0);
        for (index, length) in version.parts.iter().enumerate() {
            let range = start..start + length;
            start += length;
            let query = format!("partNumber={}", index + 1);
            let request = S3Request::new(Method::GET, &self.bucket, PARTS_KEY).query(&query);
            let result = match client.open(request).await {
                Ok(body) => verify_body(body, version.content, range).await.map_err(|m| m.to_string()),
                Err(error) => Err(error.to_string()),
            };
            if let Err(reason) = result {
                client.disconnect();
                wrong.push(format!("{PARTS_KEY}, part {}: {reason}", index + 1));
            }
        }
        wrong
    }
}

async fn store_parts(client: &mut Client, bucket: &str, seed: u64) -> Version {
    let content = Content::new(!seed, PARTS.iter().sum());
    let upload = client.create_upload(bucket, PARTS_KEY).await.expect("an upload");
    let (mut completed, mut start): (Vec<CompletedPart>, u64) = (Vec::new(), 0);
    for (number, length) in (1..).zip(PARTS) {
        let body = content.body(start..start + length);
        completed.push(client.upload_part(bucket, PARTS_KEY, &upload, number, body).await.expect("a part"));
        start += length;
    }
    client.complete_upload(bucket, PARTS_KEY, &upload, &completed).await.expect("a complete upload");
    Version { content, parts: PARTS.to_vec() }
}

/// Ranges around the edges of cells, stripes, extents and parts, as far as they lie in `length` bytes.
fn ranges(length: u64) -> Vec<RangeInclusive<u64>> {
    let edges = [CELL, STRIPE, PARTS[0], PARTS[0] + PARTS[1], EXTENT_BYTES_MAX];
    let around = edges.iter().map(|edge| edge - 2..=edge + 1);
    let wide = [
        0..=0,
        0..=length.saturating_sub(1),
        length / 3..=length / 2,
        length.saturating_sub(1)..=length.saturating_sub(1),
    ];
    around.chain(wide).filter(|range| *range.end() < length).collect()
}

async fn read_range(
    client: &mut Client,
    bucket: &str,
    key: &str,
    content: Content,
    range: RangeInclusive<u64>,
) -> Result<(), String> {
    let body = client.get_range(bucket, key, range.clone()).await.map_err(|e| e.to_string())?;
    if body.info().object_length() != Some(content.length) {
        return Err(format!("Content-Range is {:?}", body.info().header("content-range")));
    }
    verify_body(body, content, *range.start()..range.end() + 1).await.map_err(|m| m.to_string())
}
