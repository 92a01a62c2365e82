//! The store, the disk under it, and what every shard may be.

use std::collections::{BTreeMap, BTreeSet};

use cairn_core::cluster_map::DiskState;
use cairn_core::threads::Threads;
use cairn_protocol::storage::ShardWriter;
use rustix::io::Errno;

use super::SHARDS;
use super::step::{End, ReadTrouble, Step};
use crate::disk_io::simulated::{Fault, Misread, ReadFault};
use crate::store::tests::*;

/// Bytes of the filesystem.
const CAPACITY_BYTES: u64 = 32 << 20;
/// Time between two looks at a scrub, and their highest number.
const SCRUB_LOOK: Duration = Duration::from_millis(1);
const SCRUB_LOOKS_MAX: usize = 20_000;

/// What a shard may be: absent, or its bytes and version.
type Content = Option<(u64, u64)>;

struct Open {
    n: u64,
    content: (u64, u64),
    writer: Box<dyn ShardWriter>,
    rest: Vec<Cell>,
    /// An acknowledged write or deletion came after it was opened: that is later in the log, and counts.
    overruled: bool,
    /// A write or a deletion that came after it failed.
    muddied: bool,
}

/// What has gone wrong in a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    None,
    /// An operation failed.
    Errors,
    /// A read returned other bytes than the medium holds.
    Lies,
}

pub(super) struct World {
    pub(super) disk: SimulatedDisk,
    store: DiskStore,
    model: BTreeMap<u64, Vec<Content>>,
    open: Option<Open>,
    version: u64,
    is_full: bool,
    starts_since_full: u32,
    has_fault: bool,
    /// The worst that happened at some time. If a read failed, a scrub may report the record.
    trouble: Trouble,
    /// Shards with a write that failed at some time.
    doubted: BTreeSet<u64>,
    /// Shards that a start got wrong because of that, and said so. Nothing is promised for them until they are written again.
    spoiled: BTreeSet<u64>,
}

fn small() -> StoreOptions {
    StoreOptions { volume_bytes: 40_000, index_cache_bytes: 256 << 10, ..options() }
}

fn start(disk: &SimulatedDisk) -> Option<DiskStore> {
    try_open(&disk.process(), small()).ok()
}

impl World {
    pub(super) fn new() -> Self {
        let disk = formatted();
        disk.set_capacity(CAPACITY_BYTES);
        let store = start(&disk).unwrap();
        let (model, open) = (BTreeMap::new(), None);
        let (is_full, has_fault) = (false, false);
        Self {
            disk,
            store,
            model,
            open,
            version: 0,
            is_full,
            starts_since_full: 0,
            has_fault,
            trouble: Trouble::None,
            doubted: BTreeSet::new(),
            spoiled: BTreeSet::new(),
        }
    }

    fn contents(&self, n: u64) -> Vec<Content> {
        self.model.get(&n).cloned().unwrap_or_else(|| vec![None])
    }

    /// An acknowledged write or deletion.
    fn settle(&mut self, n: u64, content: Content) {
        self.model.insert(n, vec![content]);
        if let Some(open) = self.open.as_mut().filter(|open| open.n == n) {
            open.overruled = true;
        }
    }

    /// A write or deletion that failed.
    fn muddy(&mut self, n: u64, content: Content) {
        let mut contents = self.contents(n);
        if !contents.contains(&content) {
            contents.push(content);
        }
        self.model.insert(n, contents);
        self.doubted.insert(n);
        if let Some(open) = self.open.as_mut().filter(|open| open.n == n) {
            open.muddied = true;
        }
    }

    async fn put(&mut self, n: u64, bytes: u64, streamed: bool) {
        self.version += 1;
        let version = self.version;
        let written = if streamed {
            stream(&self.store, shard(n), bytes, version, 2).await
        } else {
            put(&self.store, shard(n), bytes, version).await
        };
        match written {
            Ok(()) => {
                self.spoiled.remove(&n);
                self.settle(n, Some((bytes, version)));
            }
            Err(_) => self.muddy(n, Some((bytes, version))),
        }
    }

    async fn delete(&mut self, first: u64, count: u64) {
        let shards: Vec<u64> = (first..first + count).map(|n| n % SHARDS).collect();
        let deleted = delete(&self.store, &shards.iter().map(|n| shard(*n)).collect::<Vec<_>>()).await;
        if let Err(error) = &deleted {
            let excused = self.has_fault || self.disk.has_stopped() || self.starts_since_full > 1;
            let spare = self.disk.spare_bytes();
            let (full, starts) = (self.is_full, self.starts_since_full);
            let free = self.disk.space().unwrap().available_bytes;
            assert!(
                excused,
                "I21: a deletion failed: {error}; full {full}, starts {starts}, spare {spare}, free {free}"
            );
        }
        for n in shards {
            match deleted {
                Ok(()) => self.settle(n, None),
                Err(_) => self.muddy(n, None),
            }
        }
    }

    /// Checks that the shard is one of the things that it may be; returns whether it exists.
    async fn check(&self, n: u64) -> bool {
        if self.spoiled.contains(&n) {
            return all(&self.store).await.contains(&shard(n));
        }
        match self.look(n).await {
            Ok(exists) => exists,
            Err(seen) => {
                // The machine stopped while the shard was being read.
                assert!(self.disk.has_stopped(), "{} may be {:?}; reads say {seen:?}", shard(n), self.contents(n));
                true
            }
        }
    }

    /// Whether the shard exists; what was seen instead, if it is none of the things that it may be.
    async fn look(&self, n: u64) -> Result<bool, Vec<Result<(), StorageError>>> {
        let (id, troubled) = (shard(n), self.disk.misreads());
        let mut seen = Vec::new();
        for candidate in self.contents(n) {
            let Some((bytes, version)) = candidate else {
                match read(&self.store, id, 1, 0..1).await {
                    Err(error) if error.kind == StorageErrorKind::Missing => return Ok(false),
                    Err(error) if self.excuses(troubled, &error) => return Ok(true),
                    other => seen.push(other.map(|_| ())),
                }
                continue;
            };
            let (header, cells) = content(id, bytes, version);
            match self.store.read_cells(id, header.geometry, 0..header.geometry.stripes()).await {
                Ok(read) if read == cells => return Ok(true),
                // Readers verify what they get (I6).
                Ok(read) if troubled && !(0..).zip(&read).all(|(stripe, cell)| cell.verify(id.cell(stripe))) => {
                    return Ok(true);
                }
                Err(error) if self.excuses(troubled, &error) => return Ok(true),
                other => seen.push(other.map(|_| ())),
            }
        }
        Err(seen)
    }

    /// After a start with reads that lied: if a shard is missing, the store must doubt it. One that was deleted may be back,
    /// because a tombstone was misread: it is garbage like any other, and is collected. An older record may count again:
    /// outside of this model all records of a shard hold the same.
    async fn note_spoiled(&mut self) {
        if self.trouble < Trouble::Lies {
            return;
        }
        let (findings, there) = (self.store.unreported_findings(1000), all(&self.store).await);
        for n in 0..SHARDS {
            let is_doubted = self.store.is_in_doubt() || findings.iter().any(|finding| finding.shard == shard(n));
            let (is_there, may_be) = (there.contains(&shard(n)), self.contents(n).iter().any(Option::is_some));
            // One that was misread and is deleted now leaves no tombstone, and the next start reads it well.
            let is_missed = is_doubted && !is_there && may_be;
            if is_missed || ((is_doubted || is_there) && self.look(n).await.is_err()) {
                self.spoiled.insert(n);
            }
        }
    }

    /// A read may fail while reads go wrong.
    fn excuses(&self, troubled: bool, error: &StorageError) -> bool {
        let spoiled = [StorageErrorKind::Failed, StorageErrorKind::Corrupt].contains(&error.kind);
        spoiled && (troubled || self.store.condition().state == DiskState::Suspect)
    }

    pub(super) async fn check_all(&self) {
        let mut there = Vec::new();
        for n in 0..SHARDS {
            if self.check(n).await {
                there.push(shard(n));
            }
        }
        if !self.disk.has_stopped() {
            assert_eq!(all(&self.store).await, there);
            assert_eq!(self.store.usage().shards, there.len() as u64);
        }
    }

    pub(super) fn end(&mut self, how: End) {
        self.has_fault = false;
        match how {
            End::Kill => self.disk.kill(),
            End::PowerLoss { survives_in_four, seed } => {
                let mut dice = Dice(seed);
                self.disk.crash(|| dice.roll(4) < survives_in_four);
            }
        }
        if let Some(open) = self.open.take() {
            self.give_up(open);
        }
    }

    /// A stream ends without an answer: it may have been stored.
    fn give_up(&mut self, open: Open) {
        drop(open.writer);
        self.doubted.insert(open.n);
        if !open.overruled {
            self.muddy(open.n, Some(open.content));
        }
    }

    pub(super) async fn start(&mut self, how: End) {
        self.starts_since_full += 1;
        for _ in 0..10 {
            let started = start(&self.disk);
            if let Some(store) = started {
                // From here on the store has what it read: it must be the truth.
                self.disk.heal_reads();
                self.store = store;
                self.note_spoiled().await;
                self.check_all().await;
                self.store.end_doubt();
                return;
            }
            // It stopped again during replay, or a read failed: then nothing happened to the disk.
            assert!(self.disk.has_stopped() || self.trouble >= Trouble::Errors, "the disk is not taken into service");
            if self.disk.has_stopped() {
                self.end(how);
            }
        }
        panic!("the disk never comes back");
    }

    async fn open_stream(&mut self, n: u64, bytes: u64, cells: usize) {
        if let Some(open) = self.open.take() {
            self.give_up(open);
        }
        self.version += 1;
        let (header, mut all) = content(shard(n), bytes, self.version);
        let content = (bytes, self.version);
        let Ok(mut writer) = self.store.open_shard(header).await else { return self.muddy(n, Some(content)) };
        let rest = all.split_off(cells.min(all.len()));
        if writer.append(all).await.is_err() {
            return self.muddy(n, Some(content));
        }
        self.open = Some(Open { n, content, writer, rest, overruled: false, muddied: false });
    }

    async fn end_stream(&mut self, finish: bool) {
        let Some(mut open) = self.open.take() else { return };
        if !finish {
            return self.give_up(open);
        }
        let rest = std::mem::take(&mut open.rest);
        let ended = match open.writer.append(rest).await {
            Ok(()) => open.writer.finish().await,
            Err(error) => Err(error),
        };
        match ended {
            _ if open.overruled => {}
            Ok(()) if open.muddied => self.muddy(open.n, Some(open.content)),
            Ok(()) => self.settle(open.n, Some(open.content)),
            Err(_) => self.muddy(open.n, Some(open.content)),
        }
    }

    async fn compact_beside(&mut self, n: u64, bytes: u64) {
        let store = self.store.clone();
        let compaction = TestThreads.spawn("compaction", Box::new(move || store.compact())).unwrap();
        for k in 0..4 {
            self.put((n + 3 * k) % SHARDS, bytes, false).await;
            self.delete(n + 5 * k + 1, 2).await;
            self.check((n + k) % SHARDS).await;
        }
        compaction().unwrap();
    }

    /// Nothing rots here, so a scrub must find nothing, whatever is being written, deleted and moved beside it (I14). Only
    /// the records of failed writes may lack a footer.
    pub(super) async fn scrub(&self, wait: bool) {
        let before = self.store.scrub_status().last.map_or(0, |last| last.cycle);
        self.store.start_scrub();
        let ended = || self.store.scrub_status().last.is_some_and(|last| last.cycle > before);
        for _ in 0..SCRUB_LOOKS_MAX {
            if !wait || ended() || self.has_fault || self.disk.has_stopped() {
                return;
            }
            tokio::time::sleep(SCRUB_LOOK).await;
        }
        panic!("a scrub never ends: {:?}", self.store.scrub_status());
    }

    pub(super) fn assert_nothing_rots(&self) {
        let findings = self.store.unreported_findings(1000);
        let invented = findings.iter().find(|finding| !self.doubted.contains(&finding.shard.extent.counter));
        // After the machine has stopped, all reads fail.
        assert!(
            invented.is_none() || self.trouble >= Trouble::Errors || self.disk.has_stopped(),
            "a scrub invents {invented:?}"
        );
    }

    fn fill(&mut self, left: u64) {
        self.store.make_spare();
        // Each start on a full disk may use up a spare file, and only a disk with some room makes another.
        if self.disk.spare_bytes() > small().tombstone_room_bytes {
            self.starts_since_full = 0;
        }
        self.is_full = true;
        self.disk.fill_all_but(left);
    }

    fn misread(&mut self, what: ReadTrouble, block: u64, after: u64, times: u64) {
        let what = match what {
            ReadTrouble::Fail => Misread::Fail(Errno::IO),
            ReadTrouble::Lie => Misread::Corrupt,
            ReadTrouble::Delay => Misread::Delay(Duration::from_millis(1)),
        };
        let start = block * 4096;
        // One at a time.
        self.disk.heal_reads();
        self.disk.misread(ReadFault { what, file: None, range: start..start + 8192, after, times });
        let trouble = if matches!(what, Misread::Corrupt) { Trouble::Lies } else { Trouble::Errors };
        self.trouble = self.trouble.max(trouble);
    }

    pub(super) async fn apply(&mut self, step: Step) {
        let power_loss = End::PowerLoss { survives_in_four: 2, seed: self.version };
        if self.disk.has_stopped() || self.store.condition().state == DiskState::Suspect {
            self.end(power_loss);
            self.start(power_loss).await;
        }
        match step {
            Step::Misread { what, block, after, times } => self.misread(what, block, after, times),
            Step::Put { n, bytes, streamed } => self.put(n, bytes, streamed).await,
            Step::Delete { n, count } => self.delete(n, count).await,
            Step::Read { n } => drop(self.check(n).await),
            Step::OpenStream { n, bytes, cells } => self.open_stream(n, bytes, cells).await,
            Step::EndStream { finish } => self.end_stream(finish).await,
            Step::Compact => self.store.compact(),
            Step::CompactBeside { n, bytes } => self.compact_beside(n, bytes).await,
            Step::Checkpoint => self.store.checkpoint(),
            Step::Scrub { wait } => self.scrub(wait).await,
            Step::Fill { left } => self.fill(left),
            Step::Empty => {
                self.disk.fill_all_but(u64::MAX);
                self.is_full = false;
            }
            Step::Fail { after, errno } => {
                let errno = [Errno::IO, Errno::NOSPC, Errno::MFILE][usize::from(errno)];
                self.disk.fail(Some(Fault { at: after, errno }));
                self.has_fault = true;
                self.trouble = self.trouble.max(Trouble::Errors);
            }
            Step::Restart => {
                if let Some(open) = self.open.take() {
                    self.give_up(open);
                }
                self.store.close();
                self.end(End::Kill);
                self.start(power_loss).await;
            }
            Step::End { how, index_lost } => {
                self.end(how);
                if index_lost {
                    self.disk.remove_index().unwrap();
                }
                self.start(how).await;
            }
            Step::Stop { after } => self.disk.stop_after(after),
            Step::EndTwice { how, after } => {
                self.end(how);
                self.disk.stop_after(after);
                self.start(how).await;
            }
        }
        self.assert_nothing_rots();
    }
}
