//! Bytes rot under a running server.
//!
//! Covers I5 and I6 (a flipped bit anywhere in a volume is noticed where the bytes are used) and I7 (the same bytes come
//! out, whole, in ranges and in parts).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use cairn_tests::{AllInOne, Dataset, seed};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

const BUCKET: &str = "rot";
/// One bit is flipped in every stretch of this many bytes, which hits every cell and nearly every record header.
const STRETCH_BYTES: u64 = 4096;

/// The files under `dir` whose name ends in `.vol`.
fn volumes(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(volumes(&path));
        } else if path.extension().is_some_and(|extension| extension == "vol") {
            found.push(path);
        }
    }
    found
}

/// Flips random bits of a file in place, and returns how many.
fn flip(path: &Path, random: &mut StdRng) -> u64 {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let length = file.metadata().unwrap().len();
    let mut flipped = 0;
    let mut start = 0;
    while start < length {
        let position = start + random.random_range(0..STRETCH_BYTES.min(length - start));
        let mut byte = [0];
        file.read_exact_at(&mut byte, position).unwrap();
        byte[0] ^= 1 << random.random_range(0..8);
        file.write_all_at(&byte, position).unwrap();
        (flipped, start) = (flipped + 1, start + STRETCH_BYTES);
    }
    flipped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rotten_disks_change_no_byte() {
    let seed = seed();
    let mut server = AllInOne::start().await;
    let data = Dataset::store(&server.account(), BUCKET, seed).await;
    let mut random = StdRng::seed_from_u64(seed);
    let first = random.random_range(1..=6u32);
    let second = (first + random.random_range(0..5)) % 6 + 1;
    let mut flipped = 0;
    for disk in [first, second] {
        let files = volumes(&server.disk(disk));
        assert!(!files.is_empty(), "disk {disk} has volumes");
        flipped += files.iter().map(|path| flip(path, &mut random)).sum::<u64>();
    }
    assert!(flipped > 1000, "only {flipped} bits were flipped");
    data.assert_reads(&server.account(), &format!("with {flipped} bits flipped on disks {first} and {second}")).await;
    data.assert_reads(&server.account(), "read a second time").await;
    server.restart().await;
    data.assert_reads(&server.account(), "after a restart on rotten volumes").await;
    let mut client = server.client();
    for (key, _) in data.ledger().iter() {
        client.delete(BUCKET, key).await.unwrap_or_else(|e| panic!("a rotten object can be deleted: {key}: {e}"));
    }
    assert!(client.list_all(BUCKET, "").await.unwrap().is_empty());
}
