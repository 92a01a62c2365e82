//! Real filesystems that are small (I21): filled to the last byte and emptied, with restarts, without inodes, read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_core::cluster_map::DiskState;

use super::*;
use crate::disk_io::RealDisk;

const RESERVE: u64 = 1 << 20;
/// How far the reported usage may be from what `du` says, in bytes: blocks of directories and of files that change.
const USAGE_EPSILON: u64 = 256 << 10;

/// A filesystem of its own, unmounted at the end.
struct Mount {
    directory: tempfile::TempDir,
}

impl Mount {
    /// Mounts a filesystem; prints why if that is impossible here.
    fn new(kind: &str, options: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path().join("mount");
        std::fs::create_dir(&at).unwrap();
        let mount = Self { directory };
        let mounted = if kind == "tmpfs" {
            run(Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at))
        } else {
            let image = mount.directory.path().join("image");
            std::fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
            // As Debian's installer makes them: read-only after an error.
            run(Command::new("mkfs.ext4").args(["-q", "-F", "-e", "remount-ro"]).arg(&image))
                .and_then(|()| run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at)))
        };
        match mounted {
            Ok(()) => Some(mount),
            Err(why) => {
                println!("skipped: {kind} cannot be mounted here: {why}");
                None
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("mount")
    }

    /// Makes the kernel find an error in the ext4 filesystem while it is in use.
    fn break_down(&self) {
        let path = self.path();
        let found = Command::new("findmnt").args(["-n", "-o", "SOURCE"]).arg(&path).output().unwrap();
        let source = String::from_utf8(found.stdout).unwrap();
        let device = source.trim().strip_prefix("/dev/").unwrap();
        std::fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").unwrap();
    }

    /// Unmounts, repairs and mounts again.
    fn check_and_remount(&self) {
        let (at, image) = (self.path(), self.directory.path().join("image"));
        run(Command::new("umount").arg(&at)).unwrap();
        // Its exit code is 1 if it repaired something.
        let _ = run(Command::new("e2fsck").args(["-f", "-y"]).arg(&image));
        run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&at)).unwrap();
    }

    fn remount(&self, options: &str) {
        run(Command::new("mount").args(["-o", options]).arg(self.path())).unwrap();
    }

    /// Uses up every free byte.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        for bytes in [1 << 20, 64 << 10, 4096, 512] {
            while std::io::Write::write_all(&mut file, &vec![1; bytes]).is_ok() {}
        }
        let _ = file.sync_all();
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = run(Command::new("umount").arg("-l").arg(self.path()));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

fn small() -> StoreOptions {
    StoreOptions {
        volume_bytes: 4 << 20,
        reserve_bytes: RESERVE,
        checkpoint_interval: Duration::ZERO,
        tombstone_room_bytes: 256 << 10,
        ..options()
    }
}

fn start(disk: &RealDisk) -> DiskStore {
    open_with(disk, small())
}

/// Bytes of everything below a directory, as `du` counts them. The disk is in use: a volume may be removed meanwhile.
fn du(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let file = match std::fs::symlink_metadata(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return 0,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    let inside =
        if file.is_dir() { std::fs::read_dir(path).unwrap().map(|entry| du(&entry.unwrap().path())).sum() } else { 0 };
    file.blocks() * 512 + inside
}

/// Waits until `holds`: the maintenance thread runs twice a second.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..100 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what}");
}

fn size_of(n: u64) -> u64 {
    [900, 4000, 30_000, 250_000, 1_500_000][n as usize % 5]
}

/// Fills the disk to the last byte and empties it, ten times.
async fn fill_and_empty(mount: &Mount) {
    let disk = RealDisk::new(&mount.path().join("disk"));
    format(&disk);
    let mut kept: Vec<u64> = Vec::new();
    let mut next = 0;
    for round in 0..10 {
        let store = start(&disk);
        let mut stored = Vec::new();
        let refused = loop {
            next += 1;
            match put(&store, shard(next), size_of(next), 0).await {
                Ok(()) => stored.push(next),
                Err(error) => break error,
            }
        };
        assert_eq!(refused.kind, StorageErrorKind::Full, "round {round}: {refused}");
        assert!(stored.len() > 40, "round {round}: only {} shards fit", stored.len());
        assert_eq!(store.condition().state, DiskState::Full);
        let filler = mount.fill();
        // Everything is still stored, also after a restart without a free byte.
        let store = if round % 2 == 0 {
            store.close();
            drop(store);
            start(&disk)
        } else {
            store
        };
        for n in stored.iter().chain(&kept) {
            check(&store, shard(*n), size_of(*n), 0).await;
        }
        assert_eq!(put(&store, shard(next), 900, 0).await.unwrap_err().kind, StorageErrorKind::Full);
        // One at a time, then many: all but one in ten.
        let (keep, gone): (Vec<u64>, Vec<u64>) = stored.into_iter().partition(|n| n % 10 == 3);
        let (single, rest) = gone.split_at(30);
        for n in single {
            delete(&store, &[shard(*n)]).await.unwrap();
        }
        for some in rest.chunks(100) {
            delete(&store, &some.iter().map(|n| shard(*n)).collect::<Vec<_>>()).await.unwrap();
        }
        std::fs::remove_file(filler).unwrap();
        kept.extend(keep);
        // Some of what was kept is deleted too, to make room for the next round.
        if kept.len() > 20 {
            let old: Vec<ShardId> = kept.drain(..10).map(shard).collect();
            delete(&store, &old).await.unwrap();
        }
        assert_eq!(all(&store).await, kept.iter().map(|n| shard(*n)).collect::<Vec<_>>(), "round {round}");
        eventually("the disk takes shards again", || store.condition().state == DiskState::Active);
        store.compact();
        eventually("usage is what du says", || {
            store.usage().used_bytes.abs_diff(du(&mount.path().join("disk"))) <= USAGE_EPSILON
        });
        let needed: u64 = kept.iter().map(|n| size_of(*n)).sum();
        eventually("space comes back", || du(&mount.path().join("disk")) <= needed * 11 / 10 + (8 << 20));
        store.close();
    }
    let store = start(&disk);
    for n in kept {
        check(&store, shard(n), size_of(n), 0).await;
    }
    store.close();
}

#[tokio::test]
async fn a_tmpfs_is_filled_and_emptied_ten_times() {
    if let Some(mount) = Mount::new("tmpfs", "size=64m") {
        fill_and_empty(&mount).await;
    }
}

#[tokio::test]
async fn an_ext4_is_filled_and_emptied_ten_times() {
    if let Some(mount) = Mount::new("ext4", "") {
        fill_and_empty(&mount).await;
    }
}

#[tokio::test]
async fn a_disk_without_inodes_deletes_serves_and_recovers() {
    // Two for the directories of the test, two for those of the disk, and superblock, lock, index and spare.
    let Some(mount) = Mount::new("tmpfs", "size=64m,nr_inodes=14") else { return };
    let disk = RealDisk::new(&mount.path().join("disk"));
    format(&disk);
    let store = start(&disk);
    put(&store, shard(1), 5000, 0).await.unwrap();
    eventually("the spare file is there", || disk.spare_bytes() > 0);
    let fillers: Vec<PathBuf> = (0..100).map(|n| mount.path().join(format!("filler{n}"))).collect();
    let made = fillers.iter().take_while(|path| std::fs::File::create(path).is_ok()).count();
    assert!(made < fillers.len());
    eventually("the disk says that it is full", || store.condition().state == DiskState::Full);
    assert!(store.condition().reason.contains("files"), "{:?}", store.condition());
    // The last volume takes more until it is full.
    let mut stored = vec![1];
    let refused = loop {
        let n = stored.len() as u64 + 1;
        match put(&store, shard(n), 900_000, 0).await {
            Ok(()) => stored.push(n),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind, StorageErrorKind::Full, "{refused}");
    delete(&store, &[shard(1)]).await.unwrap();
    for n in &stored[1..] {
        check(&store, shard(*n), 900_000, 0).await;
    }
    // Also after a restart, with the spare file.
    store.close();
    drop(store);
    let store = start(&disk);
    delete(&store, &[shard(2)]).await.unwrap();
    for n in &stored[2..] {
        check(&store, shard(*n), 900_000, 0).await;
    }
    for path in &fillers[..made] {
        std::fs::remove_file(path).unwrap();
    }
    eventually("the disk takes shards again", || store.condition().state == DiskState::Active);
    put(&store, shard(100), 900_000, 0).await.unwrap();
    store.close();
}

/// A disk with twenty shards.
async fn filled(mount: &Mount) -> (RealDisk, DiskStore) {
    let disk = RealDisk::new(&mount.path().join("disk"));
    format(&disk);
    let store = start(&disk);
    for n in 0..20 {
        put(&store, shard(n), size_of(n) / 4, 0).await.unwrap();
    }
    (disk, store)
}

/// All of them are stored.
async fn check_filled(store: &DiskStore) {
    for n in 0..20 {
        check(store, shard(n), size_of(n) / 4, 0).await;
    }
}

#[tokio::test]
async fn a_filesystem_that_turns_read_only_serves_and_loses_nothing() {
    let Some(mount) = Mount::new("ext4", "") else { return };
    let (disk, store) = filled(&mount).await;
    store.close();
    drop(store);
    // A filesystem with files open for writing cannot be remounted, so the store is opened afterwards.
    mount.remount("remount,ro");
    let refused = try_open(&disk, small());
    let why = refused.err().expect("a read-only disk was taken into service").to_string();
    assert!(why.contains("ead-only"), "{why}");
    mount.remount("remount,rw");
    let store = start(&disk);
    check_filled(&store).await;
    store.close();
}

/// What ext4 does when it finds an error: from one write to the next, all of them fail.
#[tokio::test]
async fn a_filesystem_that_turns_read_only_under_the_store_serves_and_loses_nothing() {
    let Some(mount) = Mount::new("ext4", "") else { return };
    let (disk, store) = filled(&mount).await;
    mount.break_down();
    let error = put(&store, shard(100), 4000, 0).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Failed, "{error}");
    let DiskCondition { state, reason: why } = store.condition();
    assert!(state == DiskState::Suspect && why.contains("ead-only"), "{state:?}: {why}");
    assert!(delete(&store, &[shard(0)]).await.is_err(), "I1: a deletion that is not durable is not acknowledged");
    check_filled(&store).await;
    store.close();
    drop(store);
    mount.check_and_remount();
    let store = start(&disk);
    check_filled(&store).await;
    put(&store, shard(100), 4000, 1).await.unwrap();
    store.close();
}

#[test]
fn a_write_that_ends_short_is_an_error_and_never_half_a_success() {
    let Some(mount) = Mount::new("tmpfs", "size=1m") else { return };
    let disk = RealDisk::new(&mount.path().join("disk"));
    format(&disk);
    let file = disk.create_volume("00000001.vol", &[1; 512]).unwrap();
    let parts: Vec<Vec<u8>> = (0..3000).map(|n| vec![n as u8 | 1; 700]).collect();
    let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let error = file.write_at(&slices, 4096).unwrap_err();
    assert_eq!(crate::store::fault::classify(&error), StorageErrorKind::Full, "{error}");
    // All bytes that were written are where they belong, across more parts than one call takes.
    let written = file.read_at(2_100_000, 4096).unwrap();
    assert!(written.len() > 700 * 1024 && written.len() < 2_100_000, "{} bytes", written.len());
    assert!(written.iter().zip(parts.concat()).all(|(found, expected)| *found == expected));
}
