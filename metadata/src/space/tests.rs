//! Writes without room, on a small filesystem and on one that says so only when it is synced.

use cairn_core::testing::TestThreads;
use cairn_core::threads::Threads;
use proptest::prelude::*;
use redb::{Database, Durability, ReadableDatabase, StorageBackend, TableDefinition};
use tempfile::TempDir;

use super::testing::{Mount, roomy};
use super::*;

const ROWS: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("rows");
const MIB: u64 = 1 << 20;

fn put(database: &Database, key: u64, bytes: usize) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    transaction.open_table(ROWS)?.insert(key, vec![key as u8; bytes].as_slice())?;
    Ok(transaction.commit()?)
}

fn holds(database: &Database, key: u64, bytes: usize) -> bool {
    let table = database.begin_read().unwrap().open_table(ROWS).unwrap();
    table.get(key).unwrap().is_some_and(|row| row.value() == vec![key as u8; bytes])
}

/// The reserve outlives another process that fills the filesystem.
#[test]
fn the_ballast_is_given_up_when_the_filesystem_is_full_and_made_again() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), 16 * MIB) else { return };
    let space = Space::of(dir.path(), 4 * MIB);
    space.keep();
    assert_eq!((space.room(), space.ballast.held_bytes()), (Room::Enough, 2 * MIB));
    assert!(Space::of(dir.path(), 4 * MIB).ballast.is_held(), "it is found again");
    mount.fill(2 * MIB - 4096);
    space.keep();
    assert_eq!(space.room(), Room::Short);
    assert!(space.demand(Room::Enough).is_err() && space.demand_bytes(0).is_err());
    mount.fill(0);
    space.keep();
    assert_eq!(space.room(), Room::Short, "the ballast is left");
    let database = open(&dir.path().join("other.redb"), true, 1 << 20, &space);
    assert!(database.is_err(), "nobody waits on this thread, and nothing is given up for it");
    assert!(space.ballast.is_held());
    let patience = space.wait_here();
    let database = open(&dir.path().join("rows.redb"), true, 1 << 20, &space).unwrap();
    put(&database, 1, 1000).unwrap();
    assert!(!space.ballast.is_held());
    mount.fill(0);
    space.keep();
    assert_eq!(space.room(), Room::Exhausted);
    mount.empty();
    space.keep();
    assert_eq!((space.room(), space.ballast.is_held()), (Room::Enough, true));
    drop(patience);
    assert!(!space.waits_here());
}

#[test]
fn a_commit_waits_for_room() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), 16 * MIB) else { return };
    let space = Space::of(dir.path(), MIB);
    let database = Arc::new(open(&dir.path().join("rows.redb"), true, 1 << 20, &space).unwrap());
    put(&database, 1, 1000).unwrap();
    mount.fill(0);
    let (writer, patient) = (Arc::clone(&database), Arc::clone(&space));
    let write = move || {
        let _patience = patient.wait_here();
        put(&writer, 2, 3 << 20).unwrap();
    };
    let join = TestThreads.spawn("writer", Box::new(write)).unwrap();
    while !space.is_waiting() {
        std::thread::yield_now();
    }
    assert_eq!(space.room(), Room::Exhausted);
    mount.empty();
    join().unwrap();
    assert!(!space.is_waiting() && holds(&database, 1, 1000) && holds(&database, 2, 3 << 20));
}

#[test]
fn what_waits_fails_when_the_member_ends() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), 16 * MIB) else { return };
    let space = Space::of(dir.path(), MIB);
    let database = open(&dir.path().join("rows.redb"), true, 1 << 20, &space).unwrap();
    mount.fill(0);
    space.close();
    let _patience = space.wait_here();
    assert!(put(&database, 2, 3 << 20).is_err());
}

/// Room that is looked for at once.
fn impatient() -> Arc<Space> {
    let Some(space) = Arc::into_inner(roomy()) else { panic!() };
    Arc::new(Space { retry_pause: Duration::ZERO, ..space })
}

/// A file in memory. Without room a sync fails and the system forgets what it was to write, as with delayed allocation: a
/// second sync that succeeds is worth nothing. With `luck` writes fail as well.
#[derive(Debug, Clone, Default)]
struct Forgetful(Arc<Mutex<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    cached: Vec<u8>,
    durable: Vec<u8>,
    dirty: Vec<(usize, usize)>,
    luck: u64,
    failed: usize,
}

impl Contents {
    /// Whether this operation finds no room: one of `n`.
    fn fails(&mut self, n: u64) -> bool {
        if self.luck == 0 {
            return false;
        }
        self.luck = self.luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407) | 1;
        let fails = (self.luck >> 33).is_multiple_of(n);
        self.failed += usize::from(fails);
        fails
    }
}

impl StorageBackend for Forgetful {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.0.lock().unwrap().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let contents = self.0.lock().unwrap();
        out.copy_from_slice(&contents.cached[offset as usize..offset as usize + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut contents = self.0.lock().unwrap();
        contents.cached.resize(len as usize, 0);
        contents.durable.resize(len as usize, 0);
        contents.dirty.retain(|(from, to)| from < to && *to <= len as usize);
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let mut contents = self.0.lock().unwrap();
        let dirty = std::mem::take(&mut contents.dirty);
        if contents.fails(3) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        for (from, to) in dirty {
            let bytes = contents.cached[from..to].to_vec();
            contents.durable[from..to].copy_from_slice(&bytes);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let (mut contents, from) = (self.0.lock().unwrap(), offset as usize);
        // What fails may be written in part.
        let fails = contents.fails(40);
        let to = from + if fails { data.len() / 2 } else { data.len() };
        contents.cached[from..to].copy_from_slice(&data[..to - from]);
        contents.dirty.push((from, to));
        if fails { Err(io::ErrorKind::QuotaExceeded.into()) } else { Ok(()) }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// I1, I2: no commit is acknowledged whose bytes were forgotten, and what was acknowledged before stays.
    #[test]
    fn a_commit_after_a_failed_sync_is_on_the_disk(luck in 1..u64::MAX, sizes in proptest::collection::vec(1..40_000usize, 2..9)) {
        let (space, file) = (impatient(), Forgetful::default());
        let database = with_backend(file.clone(), 1 << 20, &space).unwrap();
        file.0.lock().unwrap().luck = luck;
        let _patience = space.wait_here();
        for (key, bytes) in sizes.iter().enumerate() {
            put(&database, key as u64, *bytes).unwrap();
            let image = Forgetful::default();
            {
                let (mut image, file) = (image.0.lock().unwrap(), file.0.lock().unwrap());
                (image.cached, image.durable) = (file.durable.clone(), file.durable.clone());
            }
            let reopened = with_backend(image, 1 << 20, &space).unwrap();
            for (key, bytes) in sizes.iter().enumerate().take(key + 1) {
                prop_assert!(holds(&reopened, key as u64, *bytes), "row {key} is lost");
            }
        }
    }
}
