//! What backups cost with many keys. A measurement, not a test:
//! `CAIRN_KEYS=1000000 cargo test -p cairn-metadata --lib -- --ignored --nocapture what_many_keys_cost`.

use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::Path;

use cairn_core::clock::Clock;
use cairn_core::etag::ETag;
use cairn_core::id::{ClusterId, CommitSequence, DiskNumber, SessionId};
use cairn_protocol::metadata::content::Content;
use openraft::{CommittedLeaderId, LogId};
use redb::{Database, Durability};
use tempfile::TempDir;

use super::format::{End, FrameReader, FrameWriter, Head, Kind};
use super::verify;
use crate::raft::snapshot::{Loader, Position, chunk};
use crate::service::tests::commit;
use crate::tables::{Row, Tables, View, extents::ExtentRow, versions::VersionRow};
use crate::testing::TestClock;

const PER_TRANSACTION: u64 = 50_000;

#[test]
#[ignore = "a measurement"]
fn what_many_keys_cost() {
    let keys: u64 = std::env::var("CAIRN_KEYS").ok().and_then(|keys| keys.parse().ok()).unwrap_or(1_000_000);
    let dir = TempDir::new().unwrap();
    let [state, copy, file] = ["state.redb", "copy.redb", "backup"].map(|name| dir.path().join(name));
    let database = Loader::create(&state, 64 << 20).unwrap().finish().unwrap();
    fill(&database, keys);
    let view = View::new(&database).unwrap();
    timed("backup into a file, synced", || write(&view, &file, keys));
    let open = || BufReader::with_capacity(1 << 20, File::open(&file).unwrap());
    timed("verification of the backup", || assert_eq!(verify(open()).unwrap().objects, keys));
    timed("restoration", || {
        let mut reader = FrameReader::begin(open()).unwrap();
        reader.head().unwrap();
        let loader = Loader::create(&copy, 256 << 20).unwrap();
        reader.records(|records| Ok(loader.load(records)?)).unwrap();
        loader.finish().unwrap();
    });
    drop((view, database));
    timed("verification of the file at start", || crate::integrity::verify(&state, 64 << 20).unwrap());
    let bytes = |path: &Path| std::fs::metadata(path).unwrap().len();
    println!("{keys} keys, {} bytes of state and {} of backup a key", bytes(&state) / keys, bytes(&file) / keys);
}

fn timed(what: &str, work: impl FnOnce()) {
    let clock = TestClock::new();
    let began = clock.monotonic();
    work();
    println!("{what}: {:?}", clock.monotonic().saturating_sub(began));
}

/// Objects of one extent on six disks.
fn fill(database: &Database, keys: u64) {
    for first in (0..keys).step_by(PER_TRANSACTION as usize) {
        let mut transaction = database.begin_write().unwrap();
        transaction.set_durability(Durability::None).unwrap();
        let mut tables = Tables::open(&transaction).unwrap();
        for n in first..(first + PER_TRANSACTION).min(keys) {
            put(&mut tables, n);
        }
        drop(tables);
        transaction.commit().unwrap();
    }
    let mut transaction = database.begin_write().unwrap();
    transaction.set_quick_repair(true);
    transaction.commit().unwrap();
}

fn put(tables: &mut Tables<'_>, n: u64) {
    let mut body = commit(SessionId(1 + n / 100_000), n, "key").body.unwrap();
    let extent = body.run.first.to_bytes();
    let row = VersionRow {
        size: body.run.size,
        etag: ETag::single([n as u8; 16]),
        last_modified_ms: 1_790_000_000_000 + n,
        content: Content::Run(body.run),
        headers: Vec::new(),
        checksum: None,
        parts: None,
    };
    let key = format!("2026/{:04}/photo-{n:010}.jpg", n / 10_000);
    tables.versions.insert((1, key.as_bytes(), !n), row.to_bytes().as_slice()).unwrap();
    let mut row = ExtentRow::from(body.extents.remove(0));
    row.locations = (1..=6).map(|disk| Some(DiskNumber(disk))).collect();
    tables.extents.insert(extent, row.to_bytes().as_slice()).unwrap();
    for disk in 1..=6 {
        tables.disk_extents.insert((disk, extent), ()).unwrap();
    }
}

fn write(view: &View, file: &Path, objects: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file).unwrap());
    let (start, mut writer) = FrameWriter::begin();
    out.write_all(&start).unwrap();
    let applied = LogId::new(CommittedLeaderId::new(3, 1), 258).into();
    let (cluster, commit) = (ClusterId::from_bytes([7; 16]), CommitSequence(9));
    let head = Head { cluster, applied, commit, written_ms: 0, state_format: 1, objects };
    out.write_all(&writer.frame(Kind::Head, &minicbor::to_vec(head).unwrap())).unwrap();
    let (mut position, mut frames) = (Some(Position::default()), 0);
    while let Some(from) = position {
        let (records, next) = chunk(view, from).unwrap();
        out.write_all(&writer.frame(Kind::Records, &records)).unwrap();
        (position, frames) = (next, frames + 1);
    }
    out.write_all(&writer.frame(Kind::End, &minicbor::to_vec(End { frames }).unwrap())).unwrap();
    out.into_inner().unwrap().sync_all().unwrap();
}
