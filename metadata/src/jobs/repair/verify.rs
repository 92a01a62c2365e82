//! Compares all metadata with the inventories of the disks: the only source of "healthy" (I10). What is missing is queued for
//! repair.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use cairn_core::cluster_map::{ClusterMap, Disk};
use cairn_core::id::{BucketId, ExtentId};
use cairn_core::placement::Domains;
use cairn_core::repair::{assess, spread};
use cairn_core::shard::ShardId;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{Amount, ObjectAtRisk, VerifiedDisk, VerifyReport};
use cairn_protocol::storage::StorageDirectory;
use redb::{ReadableTable, ReadableTableMetadata};

use super::inventory::{self, CompareError};
use crate::error::StoreError;
use crate::leader::Leader;
use crate::leader::RepairStatusCell;
use crate::state::tables::AllVersions;
use crate::state::tables::extents::ExtentRow;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, View, buckets, parts, repair};

/// Objects that a report lists.
const LISTED_MAX: usize = 1000;

/// Compares every disk's inventory with metadata, queues for repair what is missing, and says how every object stands.
pub(super) async fn run(
    leader: Arc<Leader>,
    storage: StorageDirectory,
    map: Arc<ClusterMap>,
) -> Result<VerifyReport, CompareError> {
    let shards = leader.read(|view| view.disk_extents()?.len().map_err(StoreError::from)).await?;
    leader.repair().expect_shards(shards);
    let mut absent = HashSet::new();
    let mut disks = Vec::new();
    for disk in map.disks.iter().filter(|disk| disk.state.serves()) {
        disks.push(compare(&leader, &storage, &map, disk, &mut absent).await?);
    }
    for disk in map.disks.iter().filter(|disk| !disk.state.serves()) {
        let error = Some(format!("it is {}", disk.state));
        disks.push(VerifiedDisk { error, ..VerifiedDisk::of(disk.number) });
    }
    disks.sort_by_key(|disk| disk.disk);
    let commit = leader.commit();
    let judged = tokio::task::spawn_blocking(move || {
        let view = leader.view()?;
        let dark = disks.iter().filter(|disk| disk.error.is_some()).map(|disk| disk.disk).collect();
        let standing = Standing { view: &view, map: &map, absent, dark };
        standing.report(VerifyReport { commit, disks, ..VerifyReport::default() })
    });
    Ok(judged.await??)
}

/// Compares one disk; what it lacks is queued for repair and added to `absent`.
async fn compare(
    leader: &Arc<Leader>,
    storage: &StorageDirectory,
    map: &ClusterMap,
    disk: &Disk,
    absent: &mut HashSet<ShardId>,
) -> Result<VerifiedDisk, CompareError> {
    let mut verified = VerifiedDisk::of(disk.number);
    let Some(node) = map.node(disk.node) else { return Ok(verified) };
    let (node, mut after) = (storage.node(node), None);
    loop {
        let page = match inventory::page(leader, &node, disk, after).await {
            Ok(page) => page,
            Err(CompareError::Storage(error)) => {
                return Ok(VerifiedDisk { error: Some(error.to_string()), ..verified });
            }
            Err(other) => return Err(other),
        };
        let missing = page.difference.missing;
        inventory::queue_missing(leader, disk.number, &missing).await?;
        verified.good += page.good;
        verified.missing += missing.len() as u64;
        verified.unknown += page.difference.unknown.len() as u64;
        leader.repair().compared(page.good);
        absent.extend(missing);
        after = page.next;
        if after.is_none() {
            return Ok(verified);
        }
    }
}

/// How an extent stands that lacks shards; the worse sorts first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Degraded {
    /// It cannot be read now.
    Lost,
    /// Losses that it still survives.
    Spare(u8),
}

struct Standing<'a> {
    view: &'a View,
    map: &'a ClusterMap,
    /// Shards that are not where metadata has them.
    absent: HashSet<ShardId>,
    /// Disks without an inventory.
    dark: HashSet<cairn_core::id::DiskNumber>,
}

impl Standing<'_> {
    fn report(&self, mut report: VerifyReport) -> Result<VerifyReport, StoreError> {
        let (mut degraded, domains) = (HashMap::new(), Domains::of(self.map));
        for entry in self.view.extents()?.iter()? {
            let (key, row) = entry?;
            let (extent, row) = (ExtentId::from_bytes(key.value()), ExtentRow::read(row.value())?);
            report.extents += 1;
            if let Some(spare) = self.degraded(extent, &row)? {
                degraded.insert(extent, spare);
                continue;
            }
            let view = row.view(extent);
            report.crowded_extents += u64::from(spread(self.map, &domains, view).is_some());
        }
        report.extents_at_risk = degraded.len() as u64;
        let names = self.bucket_names()?;
        let mut at_risk: BTreeMap<u8, Amount> = BTreeMap::new();
        for entry in AllVersions::all(self.view)? {
            let (key, row) = entry?;
            let (bucket, key, _) = key.value();
            let row = VersionRow::read(row.value())?;
            let Some(worst) = self.worst(&row.content, &degraded)? else {
                add(&mut report.whole, row.size);
                continue;
            };
            let spare = match worst {
                Degraded::Lost => {
                    add(&mut report.lost, row.size);
                    None
                }
                Degraded::Spare(spare) => {
                    add(at_risk.entry(spare).or_default(), row.size);
                    Some(spare)
                }
            };
            let name = names.get(&BucketId(bucket)).cloned().unwrap_or_default();
            let key = String::from_utf8_lossy(key).into_owned();
            report.listed.push(ObjectAtRisk { bucket: name, key, spare });
            if report.listed.len() >= 2 * LISTED_MAX {
                keep_the_worst(&mut report.listed);
            }
        }
        keep_the_worst(&mut report.listed);
        report.at_risk = at_risk.into_iter().collect();
        Ok(report)
    }

    /// The condition of an extent that lacks shards; `None` for a whole one.
    fn degraded(&self, extent: ExtentId, row: &ExtentRow) -> Result<Option<Degraded>, StoreError> {
        let mut bad = repair::of(&self.view.repair()?, extent)?;
        for (index, location) in (0u8..).zip(&row.locations) {
            let is_dark = location.is_some_and(|disk| self.dark.contains(&disk));
            if is_dark || self.absent.contains(&ShardId { extent, index }) {
                bad.push(index);
            }
        }
        let view = row.view(extent);
        let found = assess(self.map, view, &bad);
        Ok(found.is_at_risk().then(|| found.spare().map_or(Degraded::Lost, Degraded::Spare)))
    }

    /// The worst of a content's extents.
    fn worst(&self, content: &Content, degraded: &HashMap<ExtentId, Degraded>) -> Result<Option<Degraded>, StoreError> {
        if degraded.is_empty() {
            return Ok(None);
        }
        let of_run =
            |run: &cairn_protocol::metadata::ExtentRun| run.ids().filter_map(|id| degraded.get(&id).copied()).min();
        match content {
            Content::Empty => Ok(None),
            Content::Run(run) => Ok(of_run(run)),
            Content::Parts(upload) => {
                let mut worst: Option<Degraded> = None;
                for part in parts::from(&self.view.parts()?, *upload, 0)? {
                    let found = part?.1.run.as_ref().and_then(of_run);
                    worst = match (worst, found) {
                        (Some(a), Some(b)) => Some(a.min(b)),
                        (one, other) => one.or(other),
                    };
                }
                Ok(worst)
            }
        }
    }

    fn bucket_names(&self) -> Result<HashMap<BucketId, String>, StoreError> {
        let mut names = HashMap::new();
        for entry in self.view.buckets()?.iter()? {
            let (name, row) = entry?;
            names.insert(buckets::BucketRow::read(row.value())?.id, String::from_utf8_lossy(name.value()).into_owned());
        }
        Ok(names)
    }
}

fn add(amount: &mut Amount, bytes: u64) {
    amount.objects += 1;
    amount.bytes += bytes;
}

fn keep_the_worst(listed: &mut Vec<ObjectAtRisk>) {
    listed.sort_by(|a, b| (a.spare, &a.bucket, &a.key).cmp(&(b.spare, &b.bucket, &b.key)));
    listed.truncate(LISTED_MAX);
}

/// Runs one verification and leaves its report where it is asked for.
pub(super) async fn run_and_note(leader: Arc<Leader>, storage: StorageDirectory, map: Arc<ClusterMap>) {
    let cell: &RepairStatusCell = leader.repair();
    match run(Arc::clone(&leader), storage, map).await {
        Ok(report) => cell.verified(Some(report)),
        Err(error) => {
            tracing::warn!(%error, "the verification was interrupted");
            cell.verified(None);
        }
    }
}
