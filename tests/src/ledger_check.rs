//! Whether every promise in a ledger was kept.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cairn_cli::admin::AdminClient;
use cairn_cli::s3::{Account, Client, S3Error};
use tokio::task::JoinSet;

use crate::{Ledger, Mismatch, Version, eventually, verify_body};

/// Clients that read at the same time.
const READERS: usize = 8;
/// How long garbage collection may take.
const COLLECTION_LIMIT: Duration = Duration::from_mins(2);

/// Reads every key of the ledger and lists the bucket: each key holds one of its possible states, byte for byte, and
/// the listing has exactly the keys that exist. Records in the ledger which state that was. Returns what is wrong.
pub async fn violations(account: &Arc<Account>, bucket: &str, ledger: &mut Ledger) -> Vec<String> {
    let work: Vec<(String, Vec<Option<Version>>)> = ledger.iter().map(|(k, s)| (k.to_owned(), s.to_vec())).collect();
    let queue = Arc::new(Mutex::new(work));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let (queue, account, bucket) = (queue.clone(), account.clone(), bucket.to_owned());
        readers.spawn(async move {
            let mut client = Client::new(account);
            let mut results = Vec::new();
            loop {
                let Some((key, states)) = queue.lock().expect("a lock").pop() else { return results };
                let found = read(&mut client, &bucket, &key, &states).await;
                results.push((key, found));
            }
        });
    }
    let mut wrong = Vec::new();
    for (key, found) in readers.join_all().await.into_iter().flatten() {
        match found {
            Ok(state) => ledger.resolve(&key, state),
            Err(violation) => wrong.push(format!("{key}: {violation}")),
        }
    }
    if wrong.is_empty() {
        wrong.extend(listing_violations(account, bucket, ledger).await);
    }
    wrong
}

/// Panics with a list of all broken promises.
pub async fn assert_kept(account: &Arc<Account>, bucket: &str, ledger: &mut Ledger, when: &str) {
    let wrong = violations(account, bucket, ledger).await;
    assert!(wrong.is_empty(), "{when}, {} promises are broken:\n{}", wrong.len(), wrong.join("\n"));
}

/// Which of the `states` the key is in.
async fn read(
    client: &mut Client,
    bucket: &str,
    key: &str,
    states: &[Option<Version>],
) -> Result<Option<Version>, String> {
    let mut reasons = Vec::new();
    for state in states {
        match matches(client, bucket, key, state.as_ref()).await {
            Ok(()) => return Ok(state.clone()),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; and "))
}

async fn matches(client: &mut Client, bucket: &str, key: &str, state: Option<&Version>) -> Result<(), String> {
    let answer = client.get(bucket, key).await;
    let (body, version) = match (answer, state) {
        (Err(error), None) if error.code() == "NoSuchKey" => return Ok(()),
        (Err(error), None) => return Err(format!("should not exist, and GET fails with {error}")),
        (Err(error), Some(version)) => return Err(format!("should hold {version:?}, and GET fails with {error}")),
        (Ok(body), None) => {
            let length = body.info().length();
            client.disconnect();
            return Err(format!("should not exist, and has {length:?} bytes"));
        }
        (Ok(body), Some(version)) => (body, version),
    };
    let content = version.content;
    if let Err(mismatch) = verify_body(body, content, 0..content.length).await {
        client.disconnect();
        return Err(format!("should hold {version:?}, and {mismatch}"));
    }
    Ok(())
}

async fn listing_violations(account: &Arc<Account>, bucket: &str, ledger: &Ledger) -> Vec<String> {
    let listed = match Client::new(account.clone()).list_all(bucket, "").await {
        Ok(listed) => listed,
        Err(error) => return vec![format!("the listing fails: {error}")],
    };
    let listed: BTreeMap<String, u64> = listed.into_iter().map(|object| (object.key, object.size)).collect();
    let mut wrong = Vec::new();
    let mut expected = BTreeMap::new();
    for (key, _) in ledger.iter() {
        if let Some(Some(version)) = ledger.certain(key) {
            expected.insert(key.to_owned(), version.content.length);
        }
    }
    for (key, length) in &expected {
        match listed.get(key) {
            Some(size) if size == length => {}
            Some(size) => wrong.push(format!("{key}: listed with {size} bytes, it has {length}")),
            None => wrong.push(format!("{key}: not listed")),
        }
    }
    wrong
        .extend(listed.keys().filter(|key| !expected.contains_key(*key)).map(|key| format!("{key}: listed, and gone")));
    wrong
}

/// Aborts every upload under way in the bucket.
pub async fn abort_uploads(client: &mut Client, bucket: &str) -> Result<usize, S3Error> {
    let mut aborted = 0;
    loop {
        let page = client.list_uploads(bucket, None).await?;
        if page.uploads.is_empty() {
            return Ok(aborted);
        }
        for upload in &page.uploads {
            client.abort_upload(bucket, &upload.key, &upload.upload_id).await?;
            aborted += 1;
        }
    }
}

/// Waits until the disks together hold a number of shards in `expected` and nothing waits to be reclaimed (I29).
pub async fn assert_shards(mut admin: AdminClient, expected: RangeInclusive<u64>) {
    eventually("the disks hold the shards of the live objects", COLLECTION_LIMIT, async || {
        let status = admin.cluster().await.map_err(|e| e.to_string())?;
        let disks = admin.disks().await.map_err(|e| e.to_string())?;
        let per_disk: Vec<u64> = disks.iter().map(|disk| disk.shards).collect();
        let held: u64 = per_disk.iter().sum();
        if expected.contains(&held) && status.reclaim_entries == 0 {
            return Ok(());
        }
        Err(format!(
            "the disks hold {held} shards ({per_disk:?}), expected are {expected:?}; {} are queued for repair, {} entries \
             are to be reclaimed, {} uploads are under way, {} sessions are open",
            status.repair_entries, status.reclaim_entries, status.uploads, status.sessions
        ))
    })
    .await;
}

/// Deletes every object in the bucket.
pub async fn delete_all(client: &mut Client, bucket: &str) -> Result<(), S3Error> {
    for object in client.list_all(bucket, "").await? {
        client.delete(bucket, &object.key).await?;
    }
    Ok(())
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Read(error) => write!(f, "the read fails with {error}"),
            Self::Byte(offset) => write!(f, "byte {offset} differs"),
            Self::Length { found, expected } => write!(f, "{found} bytes come instead of {expected}"),
        }
    }
}
