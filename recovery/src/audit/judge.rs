//! What metadata says held against what the disks hold.

use std::collections::{BTreeMap, HashMap};

use cairn_core::id::{DiskNumber, ExtentId};
use cairn_core::shard::ShardId;
use cairn_metadata::offline::{BookedExtent, BookedObject, Excused};

use super::health::{Amount, AtRisk, ObjectAtRisk};
use super::report::{AuditedDisk, Redundancy, Space, Unowned};
use super::shelf::Shelf;

/// Objects that a report lists.
const LISTED_MAX: usize = 1000;
/// Allowance for what a shard has beside its bytes: header, descriptor, footer and padding.
const EPSILON_BYTES_PER_SHARD: u64 = 2048;
/// Allowance for the checksums of the cells, as a fraction: 1/1000 of all bytes.
const EPSILON_FRACTION: u64 = 1000;

/// How many further losses an extent survives; nothing if it cannot be read. The worse is the lower.
pub(super) type Spare = Option<u8>;

/// The audit under way.
pub(super) struct Judge {
    shelves: HashMap<DiskNumber, Shelf>,
    tallies: HashMap<DiskNumber, AuditedDisk>,
    /// All extents that have a row, in order, and whether something refers to them.
    rows: Vec<(ExtentId, bool)>,
    /// Extents that lack shards.
    degraded: HashMap<ExtentId, Spare>,
    pub(super) redundancy: BTreeMap<Spare, (u64, u64)>,
    pub(super) space: Space,
    pub(super) unbooked: u64,
    pub(super) objects: Objects,
}

/// The objects seen so far.
#[derive(Default)]
pub(super) struct Objects {
    pub(super) whole: Amount,
    pub(super) at_risk: BTreeMap<u8, Amount>,
    pub(super) lost: Amount,
    pub(super) listed: Vec<ObjectAtRisk>,
}

impl Judge {
    pub(super) fn new(shelves: HashMap<DiskNumber, Shelf>) -> Self {
        let mut space = Space::default();
        for shelf in shelves.values() {
            space.dead_bytes += shelf.dead_bytes;
            space.allocated_bytes += shelf.allocated_bytes;
        }
        Self {
            shelves,
            tallies: HashMap::new(),
            rows: Vec::new(),
            degraded: HashMap::new(),
            redundancy: BTreeMap::new(),
            space,
            unbooked: 0,
            objects: Objects::default(),
        }
    }

    /// Looks for the shards of an extent. All extents come first, in the order of their ids.
    pub(super) fn extent(&mut self, extent: &BookedExtent) {
        let (k, m) = (extent.geometry.data_shards, extent.geometry.parity_shards);
        let mut good = 0u8;
        for (index, place) in (0u8..).zip(&extent.locations) {
            let Some(disk) = *place else { continue };
            let is_good = self.shard(extent, index, disk);
            good += u8::from(is_good);
        }
        let spare = good.checked_sub(k);
        let class = self.redundancy.entry(spare).or_default();
        *class = (class.0 + 1, class.1 + extent.geometry.length);
        self.space.model_bytes += extent.geometry.length;
        self.rows.push((extent.id, false));
        if spare < Some(m) {
            self.degraded.insert(extent.id, spare);
        }
    }

    /// Whether a shard is on `disk`, and good.
    fn shard(&mut self, extent: &BookedExtent, index: u8, disk: DiskNumber) -> bool {
        let tally = self.tallies.entry(disk).or_default();
        let id = ShardId { extent: extent.id, index };
        let Some(held) = self.shelves.get_mut(&disk).and_then(|shelf| shelf.get_mut(id)) else {
            tally.missing += 1;
            return false;
        };
        held.is_owned = true;
        self.space.owned_bytes += held.bytes;
        self.space.coded_bytes += extent.geometry.length.div_ceil(u64::from(extent.geometry.data_shards.max(1)));
        self.space.epsilon_bytes += EPSILON_BYTES_PER_SHARD;
        if held.is_damaged || held.geometry != extent.geometry || extent.reported.contains(&index) {
            tally.bad += 1;
            return false;
        }
        tally.good += 1;
        true
    }

    /// Looks for the extents of an object.
    pub(super) fn object(&mut self, object: &BookedObject) {
        let mut worst: Option<Spare> = None;
        for id in object.runs.iter().flat_map(cairn_protocol::metadata::ExtentRun::ids) {
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

    /// Notes that something refers to an extent; says whether that has a row.
    pub(super) fn refer(&mut self, id: ExtentId) -> bool {
        let row = self.rows.binary_search_by_key(&id, |(id, _)| *id).ok().and_then(|at| self.rows.get_mut(at));
        row.map(|row| row.1 = true).is_some()
    }

    /// Extents that have a row.
    pub(super) fn extents(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Those that nothing refers to.
    pub(super) fn stray(&self) -> u64 {
        self.rows.iter().filter(|(_, is_referred_to)| !is_referred_to).count() as u64
    }

    /// Extents that lack shards.
    pub(super) fn at_risk(&self) -> u64 {
        self.degraded.len() as u64
    }

    /// Whether an extent has a row.
    fn is_booked(&self, id: ExtentId) -> bool {
        self.rows.binary_search_by_key(&id, |(id, _)| *id).is_ok()
    }

    /// Sorts the shards that nobody owns.
    pub(super) fn unowned(&mut self, excused: &Excused) -> Unowned {
        let mut unowned = Unowned::default();
        for (number, shelf) in &self.shelves {
            for held in shelf.unowned() {
                self.class(&mut unowned, excused, held.shard, *number).add(held.bytes);
                unowned.total.add(held.bytes);
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
    ) -> &'a mut super::report::Shards {
        let session = shard.extent.session;
        if excused.left_behind.contains(&(shard, disk)) {
            &mut unowned.left_behind
        } else if excused.rebuilding.contains(&(shard, disk)) {
            &mut unowned.rebuilding
        } else if self.is_booked(shard.extent) {
            &mut unowned.garbage
        } else if excused.open_sessions.contains(&session) {
            &mut unowned.of_open_sessions
        } else if session > excused.last_session {
            &mut unowned.of_unknown_sessions
        } else {
            &mut unowned.garbage
        }
    }

    /// Whether the living records take the space that coding says.
    pub(super) fn space(&self) -> Space {
        let Space { coded_bytes, owned_bytes, unowned_bytes, .. } = self.space;
        let epsilon_bytes = self.space.epsilon_bytes + coded_bytes / EPSILON_FRACTION;
        let is_within = (owned_bytes + unowned_bytes).abs_diff(coded_bytes) <= epsilon_bytes;
        Space { epsilon_bytes, is_within, ..self.space }
    }

    /// What was found on a disk that was given.
    pub(super) fn disk(&self, number: DiskNumber) -> AuditedDisk {
        let tally = self.tallies.get(&number).cloned().unwrap_or_default();
        let Some(disk) = self.shelves.get(&number) else { return tally };
        let unknown = disk.unowned().count() as u64;
        AuditedDisk { path: Some(disk.path.display().to_string()), unknown, ..tally }
    }
}

impl Objects {
    fn add(&mut self, object: &BookedObject, worst: Option<Spare>) {
        let amount = match worst {
            None => &mut self.whole,
            Some(None) => &mut self.lost,
            Some(Some(spare)) => self.at_risk.entry(spare).or_default(),
        };
        amount.objects += 1;
        amount.bytes += object.size;
        if let Some(spare) = worst {
            self.listed.push(ObjectAtRisk { bucket: object.bucket.clone(), key: object.key.clone(), spare });
            if self.listed.len() >= 2 * LISTED_MAX {
                self.keep_the_worst();
            }
        }
    }

    /// The list, the worst first.
    pub(super) fn keep_the_worst(&mut self) {
        self.listed.sort_by(|a, b| (a.spare, &a.bucket, &a.key).cmp(&(b.spare, &b.bucket, &b.key)));
        self.listed.truncate(LISTED_MAX);
    }

    pub(super) fn at_risk(&self) -> Vec<AtRisk> {
        self.at_risk.iter().map(|(spare, amount)| AtRisk { spare: *spare, amount: *amount }).collect()
    }
}

/// The classes as they are reported.
pub(super) fn classes(redundancy: &BTreeMap<Spare, (u64, u64)>) -> Vec<Redundancy> {
    let class = |(spare, (extents, bytes)): (&Spare, &(u64, u64))| Redundancy {
        spare: *spare,
        extents: *extents,
        bytes: *bytes,
    };
    redundancy.iter().map(class).collect()
}
