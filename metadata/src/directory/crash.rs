//! Power failures while a snapshot is installed (I3): after each change of the directory, with names that outlive it or do not, the
//! member has the old state or the new one, and goes on.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use cairn_core::id::MemberId;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::CreateBucket;
use openraft::storage::{RaftLogStorage, RaftLogStorageExt};
use openraft::{CommittedLeaderId, EntryPayload};
use tempfile::TempDir;

use super::tests::{close, formed, open};
use crate::durable_names::{Step, WATCH};
use crate::raft::machine::Machine;
use crate::raft::proposal::{Change, Proposal};
use crate::raft::snapshot::{Incoming, LoadedState, StreamHash, drain};
use crate::raft::{Entry, LogId};

/// The last entries of the old state and of the new one.
const OLD: u64 = 4;
const NEW: u64 = 8;

fn log_id(index: u64) -> LogId {
    LogId::new(CommittedLeaderId::new(1, MemberId(1)), index)
}

/// Each entry creates a bucket.
fn entries(from: u64, to: u64) -> Vec<Entry> {
    let entry = |index| {
        let name = BucketName::new(&format!("bucket-{index}")).unwrap();
        let change = Change::Batch(vec![CreateBucket { name, region: String::new() }.into()], None);
        let payload = EntryPayload::Normal(Arc::new(Proposal { proposed_at_ms: index, change }));
        Entry { log_id: log_id(index), payload }
    };
    (from..=to).map(entry).collect()
}

/// All rows of a state: one chunk of a snapshot.
fn rows(machine: &Machine) -> Vec<u8> {
    let mut all = Vec::new();
    drain::<crate::StoreError>(machine.sync().unwrap(), |records, _| {
        all.extend_from_slice(records);
        Ok(())
    })
    .unwrap();
    all
}

/// The rows of a state to which the entries up to `last` were applied.
fn rows_after(last: u64) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    let directory = open(dir.path(), None).unwrap();
    directory.machine.apply(&entries(0, last)).unwrap();
    let rows = rows(&directory.machine);
    close(directory);
    rows
}

fn copy(from: &Path) -> TempDir {
    let to = TempDir::new().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.path().join(path.file_name().unwrap())).unwrap();
    }
    to
}

/// A name that may not outlive a power failure.
struct Renamed {
    from: PathBuf,
    to: PathBuf,
    /// What `to` held before.
    before: Option<Vec<u8>>,
}

/// What power failures leave of a directory.
struct Images {
    dir: PathBuf,
    unsynced: Vec<Renamed>,
    taken: Vec<(String, TempDir)>,
}

impl Images {
    /// Takes what a power failure leaves now: once with all names as they are, once without those that are not synced.
    fn take(&mut self, when: &str) {
        self.taken.push((when.to_owned(), copy(&self.dir)));
        if self.unsynced.is_empty() {
            return;
        }
        let image = copy(&self.dir);
        let within = |path: &Path| image.path().join(path.file_name().unwrap());
        for renamed in self.unsynced.iter().rev() {
            std::fs::rename(within(&renamed.to), within(&renamed.from)).unwrap();
            if let Some(before) = &renamed.before {
                std::fs::write(within(&renamed.to), before).unwrap();
            }
        }
        self.taken.push((format!("{when}, and names are lost"), image));
    }

    fn watch(&mut self, step: &Step<'_>) {
        match step {
            Step::Renames { from, to } => {
                self.take(&format!("before {} is renamed", from.display()));
                let before = std::fs::read(to).ok();
                self.unsynced.push(Renamed { from: from.to_path_buf(), to: to.to_path_buf(), before });
            }
            Step::Renamed => self.take("after a rename"),
            Step::Synced => {
                self.unsynced.clear();
                self.take("after a sync of the directory");
            }
        }
    }
}

/// A snapshot that reaches to [`NEW`], received by `machine` to its end.
fn receive(machine: &Machine) -> LoadedState {
    let (records, bytes) = (rows_after(NEW), 1 << 20);
    let mut incoming = Incoming::begin(machine.incoming_file(), bytes, machine.space()).unwrap();
    incoming.take(&records, true, StreamHash::default().after(&records, true)).unwrap();
    incoming.finish().unwrap()
}

/// Power failures while a snapshot is installed, for which Raft purges the log before the state is replaced, or after it.
async fn images(is_purged_first: bool) -> Vec<(String, TempDir)> {
    let (dir, _) = formed();
    let mut directory = open(dir.path(), None).unwrap();
    directory.log.blocking_append(entries(0, OLD)).await.unwrap();
    directory.machine.apply(&entries(0, OLD)).unwrap();
    directory.machine.sync().unwrap();
    let images = Images { dir: dir.path().to_owned(), unsynced: Vec::new(), taken: Vec::new() };
    let images = Rc::new(RefCell::new(images));
    let watching = Rc::clone(&images);
    WATCH.set(Some(Box::new(move |step| watching.borrow_mut().watch(step))));
    let take = |when: &str| images.borrow_mut().take(when);

    let received = receive(&directory.machine);
    take("received");
    if is_purged_first {
        directory.log.purge(log_id(NEW)).await.unwrap();
        take("purged");
    }
    directory.machine.install(received, Some(log_id(NEW))).unwrap();
    take("installed");
    if !is_purged_first {
        directory.log.purge(log_id(NEW)).await.unwrap();
        take("installed and purged");
    }
    directory.log.blocking_append(entries(NEW + 1, NEW + 1)).await.unwrap();
    directory.machine.apply(&entries(NEW + 1, NEW + 1)).unwrap();
    directory.machine.sync().unwrap();
    take("gone on");
    WATCH.set(None);
    close(directory);
    std::mem::take(&mut images.borrow_mut().taken)
}

/// The member in `image`, which goes on; returns the last entry that its state had.
fn go_on(image: &Path, when: &str) -> u64 {
    let directory = match open(image, None) {
        Ok(directory) => directory,
        Err(error) => panic!("{when}: {error}"),
    };
    let applied = directory.machine.applied().unwrap().index;
    assert!([OLD, NEW, NEW + 1].contains(&applied), "{when}: it reaches to {applied}");
    assert!(rows(&directory.machine) == rows_after(applied), "{when}: its state is not that of entry {applied}");
    directory.apply_rest().unwrap();
    let last = directory.machine.applied().unwrap().index;
    directory.machine.apply(&entries(last + 1, last + 1)).unwrap();
    let expected = rows(&directory.machine);
    close(directory);
    let again = open(image, None).unwrap();
    assert!(rows(&again.machine) == expected, "{when}: what was applied since is lost");
    close(again);
    let mut left: Vec<_> = std::fs::read_dir(image).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["identity", "log.redb", "state.redb"], "{when}");
    applied
}

#[tokio::test]
async fn a_power_failure_while_a_snapshot_is_installed_leaves_the_old_state_or_the_new_one() {
    for is_purged_first in [true, false] {
        let mut reached = Vec::new();
        for (when, image) in images(is_purged_first).await {
            reached.push(go_on(image.path(), &when));
        }
        assert!(reached.contains(&OLD) && reached.contains(&NEW) && reached.contains(&(NEW + 1)), "{reached:?}");
    }
}
