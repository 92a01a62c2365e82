//! Compares what metadata says with what the disks hold.

use std::collections::{BTreeMap, HashMap};

use cairn_core::id::{DiskNumber, ExtentId};
use cairn_core::shard::ShardId;
use cairn_metadata::offline::{Excused, RecordedExtent, RecordedObject};
use cairn_protocol::metadata::ExtentRun;

use super::contents::DiskContents;
use super::objects::{Objects, Spare};
use super::report::{AuditedDisk, Redundancy, Shards, Space, Unowned};

/// Allowance for what a shard has beside its bytes: header, descriptor, footer and padding.
const EPSILON_BYTES_PER_SHARD: u64 = 2048;
/// Allowance for the checksums of the cells, as a fraction: 1/1000 of all bytes.
const EPSILON_FRACTION: u64 = 1000;

/// An audit under way. Extents come first, in the order of their ids; then whatever refers to them.
pub(super) struct Auditor {
    disks: HashMap<DiskNumber, DiskContents>,
    tallies: HashMap<DiskNumber, AuditedDisk>,
    /// Every extent that has a row, in order.
    rows: Vec<ExtentRow>,
    /// Extents that lack shards.
    degraded: HashMap<ExtentId, Spare>,
    redundancy: BTreeMap<Spare, ExtentCount>,
    space: Space,
    /// Extents of objects that have no row.
    pub(super) unbooked: u64,
    pub(super) objects: Objects,
}

struct ExtentRow {
    id: ExtentId,
    is_referred_to: bool,
}

#[derive(Default)]
struct ExtentCount {
    extents: u64,
    bytes: u64,
}

impl Auditor {
    pub(super) fn new(disks: HashMap<DiskNumber, DiskContents>) -> Self {
        let mut space = Space::default();
        for contents in disks.values() {
            space.dead_bytes += contents.dead_bytes;
            space.allocated_bytes += contents.allocated_bytes;
        }
        Self {
            disks,
            tallies: HashMap::new(),
            rows: Vec::new(),
            degraded: HashMap::new(),
            redundancy: BTreeMap::new(),
            space,
            unbooked: 0,
            objects: Objects::default(),
        }
    }

    /// Looks for the shards of an extent.
    pub(super) fn extent(&mut self, extent: &RecordedExtent) {
        let (k, m) = (extent.geometry.data_shards, extent.geometry.parity_shards);
        let mut good = 0u8;
        for (index, place) in (0u8..).zip(&extent.locations) {
            let Some(disk) = *place else { continue };
            good += u8::from(self.is_good(extent, index, disk));
        }
        let spare = good.checked_sub(k);
        let count = self.redundancy.entry(spare).or_default();
        count.extents += 1;
        count.bytes += extent.geometry.length;
        self.space.model_bytes += extent.geometry.length;
        self.rows.push(ExtentRow { id: extent.id, is_referred_to: false });
        if spare < Some(m) {
            self.degraded.insert(extent.id, spare);
        }
    }

    /// Whether a shard is on `disk`, and good. Counts it there.
    fn is_good(&mut self, extent: &RecordedExtent, index: u8, disk: DiskNumber) -> bool {
        let tally = self.tallies.entry(disk).or_default();
        let id = ShardId { extent: extent.id, index };
        let Some(shard) = self.disks.get_mut(&disk).and_then(|contents| contents.get_mut(id)) else {
            tally.missing += 1;
            return false;
        };
        shard.is_owned = true;
        self.space.owned_bytes += shard.bytes;
        self.space.coded_bytes += extent.geometry.length.div_ceil(u64::from(extent.geometry.data_shards.max(1)));
        self.space.epsilon_bytes += EPSILON_BYTES_PER_SHARD;
        if shard.is_damaged || shard.geometry != extent.geometry || extent.reported.contains(&index) {
            tally.bad += 1;
            return false;
        }
        tally.good += 1;
        true
    }

    /// Looks for the extents of an object.
    pub(super) fn object(&mut self, object: &RecordedObject) {
        let mut worst: Option<Spare> = None;
        for id in object.runs.iter().flat_map(ExtentRun::ids) {
            let spare = if self.refer(id) {
                self.degraded.get(&id).copied()
            } else {
                self.unbooked += 1;
                Some(None)
            };
            worst = match (worst, spare) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
        }
        self.objects.add(object, worst);
    }

    /// Notes that something refers to an extent. Returns whether that has a row.
    pub(super) fn refer(&mut self, id: ExtentId) -> bool {
        let row = self.row(id).and_then(|at| self.rows.get_mut(at));
        row.map(|row| row.is_referred_to = true).is_some()
    }

    fn row(&self, id: ExtentId) -> Option<usize> {
        self.rows.binary_search_by_key(&id, |row| row.id).ok()
    }

    /// Extents that have a row.
    pub(super) fn extents(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Extents that have a row and that nothing refers to.
    pub(super) fn stray(&self) -> u64 {
        self.rows.iter().filter(|row| !row.is_referred_to).count() as u64
    }

    /// Extents that lack shards.
    pub(super) fn at_risk(&self) -> u64 {
        self.degraded.len() as u64
    }

    /// Extents by the further losses that they survive.
    pub(super) fn redundancy(&self) -> Vec<Redundancy> {
        let class = |(spare, count): (&Spare, &ExtentCount)| Redundancy {
            spare: *spare,
            extents: count.extents,
            bytes: count.bytes,
        };
        self.redundancy.iter().map(class).collect()
    }

    /// Sorts the shards that no row locates where they are.
    pub(super) fn unowned(&mut self, excused: &Excused) -> Unowned {
        let mut unowned = Unowned::default();
        for (number, contents) in &self.disks {
            for shard in contents.unowned() {
                self.class(&mut unowned, excused, shard.id, *number).add(shard.bytes);
                unowned.total.add(shard.bytes);
            }
        }
        self.space.unowned_bytes = unowned.total.bytes;
        unowned
    }

    fn class<'a>(
        &self,
        unowned: &'a mut Unowned,
        excused: &Excused,
        shard: ShardId,
        disk: DiskNumber,
    ) -> &'a mut Shards {
        let session = shard.extent.session;
        if excused.left_behind.contains(&(shard, disk)) {
            &mut unowned.left_behind
        } else if excused.rebuilding.contains(&(shard, disk)) {
            &mut unowned.rebuilding
        } else if self.row(shard.extent).is_some() {
            &mut unowned.garbage
        } else if excused.open_sessions.contains(&session) {
            &mut unowned.of_open_sessions
        } else if session > excused.last_session {
            &mut unowned.of_unknown_sessions
        } else {
            &mut unowned.garbage
        }
    }

    /// Whether the live records take the space that coding says.
    pub(super) fn space(&self) -> Space {
        let Space { coded_bytes, owned_bytes, unowned_bytes, .. } = self.space;
        let epsilon_bytes = self.space.epsilon_bytes + coded_bytes / EPSILON_FRACTION;
        let is_within = (owned_bytes + unowned_bytes).abs_diff(coded_bytes) <= epsilon_bytes;
        Space { epsilon_bytes, is_within, ..self.space }
    }

    /// What was found on a disk.
    pub(super) fn disk(&self, number: DiskNumber) -> AuditedDisk {
        let tally = self.tallies.get(&number).cloned().unwrap_or_default();
        let Some(contents) = self.disks.get(&number) else { return tally };
        let unknown = contents.unowned().count() as u64;
        AuditedDisk { path: Some(contents.path.display().to_string()), unknown, ..tally }
    }
}
