//! Reads a run of stripes of one extent around bad and slow shards.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::cell::Cell;
use cairn_core::cluster_map::DiskState;
use cairn_core::codec::Codec;
use cairn_core::geometry::Geometry;
use cairn_core::quorum::{ReadCommand, ReadQuorum, ShardFault};
use cairn_core::shard::ShardId;
use cairn_core::stripe;
use cairn_protocol::metadata::LocatedExtent;
use cairn_protocol::metadata::command::{ShardReport, ShardReportKind};
use cairn_protocol::storage::{StorageError, StorageErrorKind};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;

use super::error::ReadError;
use super::frames::frames;
use crate::data::path::{DataPath, DiskClient};

/// An extent that is being read, and what is known of its shards.
pub(super) struct ExtentReader {
    extent: LocatedExtent,
    codec: Codec,
    disks: Vec<Option<DiskClient>>,
    /// Shards that were bad or slow before. Later batches ask them only if there is no other way.
    avoid: Vec<bool>,
    /// Shards that this read found bad, and has logged and reported.
    noted: Vec<bool>,
}

/// The index of a shard, how long it took to answer, and its answer.
type Fetched = (usize, Duration, Result<Vec<Cell>, (ShardFault, String)>);

/// The longest wait for any single shard.
const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

impl ExtentReader {
    pub(super) async fn open(path: &DataPath, extent: LocatedExtent) -> Result<Self, ReadError> {
        let map = path.map_with(extent.locations.iter().copied().flatten()).await.ok_or(ReadError::NoClusterMap)?;
        let noted = vec![false; extent.locations.len()];
        let disks: Vec<_> = extent.locations.iter().map(|n| n.and_then(|n| path.disk(&map, n))).collect();
        // Disks that just failed, or are known to be away or far slower than the others, are asked only if nothing else
        // is left: decoding is faster than waiting for a hedge each time (I24).
        let poor = |state| matches!(state, DiskState::Unavailable | DiskState::Suspect);
        let avoided =
            |d: &DiskClient| !path.health.is_usable(d.number) || map.disk(d.number).is_some_and(|d| poor(d.state));
        let avoid = disks.iter().map(|d| d.as_ref().is_some_and(avoided)).collect();
        let codec = path.codecs.get(extent.geometry.data_shards, extent.geometry.parity_shards)?;
        Ok(Self { extent, codec, disks, avoid, noted })
    }

    pub(super) fn extent(&self) -> &LocatedExtent {
        &self.extent
    }

    /// The bytes `wanted` (offsets in the extent), all of which lie in `stripes`.
    pub(super) async fn read(
        &mut self,
        path: &DataPath,
        stripes: Range<u32>,
        wanted: Range<u64>,
    ) -> Result<Vec<Bytes>, ReadError> {
        match self.rows(path, stripes.clone()).await {
            Ok(rows) => Ok(frames(&self.extent.geometry, stripes, &rows, &wanted)),
            Err(error) if stripes.len() == 1 => Err(error),
            // More than `m` shards have a bad cell somewhere in the run, but no stripe need have more than `m`.
            Err(_) => {
                let mut all = Vec::new();
                for stripe in stripes {
                    let rows = self.rows(path, stripe..stripe + 1).await?;
                    all.extend(frames(&self.extent.geometry, stripe..stripe + 1, &rows, &wanted));
                }
                Ok(all)
            }
        }
    }

    /// The data cells of `stripes`: first without the shards to avoid, then with them.
    async fn rows(&mut self, path: &DataPath, stripes: Range<u32>) -> Result<Vec<Vec<Bytes>>, ReadError> {
        if self.avoid.contains(&true) {
            let avoid = self.avoid.clone();
            if let Ok(rows) = self.attempt(path, stripes.clone(), |i| !avoid[i]).await {
                return Ok(rows);
            }
        }
        self.attempt(path, stripes, |_| true).await
    }

    async fn attempt(
        &mut self,
        path: &DataPath,
        stripes: Range<u32>,
        usable: impl Fn(usize) -> bool,
    ) -> Result<Vec<Vec<Bytes>>, ReadError> {
        let mut quorum =
            ReadQuorum::new(&self.extent.geometry, |i| usable(i) && self.disks.get(i).is_some_and(Option::is_some));
        let mut shards: Vec<Option<Vec<Cell>>> = vec![None; self.disks.len()];
        let mut fetches = FuturesUnordered::new();
        let mut details = Vec::new();
        let mut commands = quorum.start();
        let mut hedges_left = self.extent.geometry.parity_shards;
        loop {
            for command in commands.drain(..) {
                match command {
                    ReadCommand::Fetch(index) => fetches.push(self.fetch(path, index, stripes.clone())),
                    ReadCommand::Decode => {
                        // A shard that a hedge overtook would delay the next batch too.
                        self.avoid.iter_mut().enumerate().for_each(|(i, avoid)| *avoid |= quorum.is_outstanding(i));
                        return Ok(stripe::decode(&self.codec, &self.extent.geometry, stripes.len(), &shards)?);
                    }
                    ReadCommand::Fail => return Err(self.lost(&details)),
                }
            }
            let answered = if hedges_left > 0 {
                tokio::time::timeout(path.hedge.get(), fetches.next()).await
            } else {
                Ok(fetches.next().await)
            };
            match answered {
                Ok(Some((index, took, Ok(cells)))) => {
                    // Only answers count: a wait for a hedge must not delay the next hedge.
                    path.hedge.observe(took);
                    shards[index] = Some(cells);
                    commands.extend(quorum.ready(index));
                }
                Ok(Some((index, _, Err((fault, detail))))) => {
                    self.note(path, index, fault, &detail);
                    details.push(format!("shard {index}: {detail}"));
                    commands.extend(quorum.failed(index, fault));
                }
                Ok(None) => return Err(self.lost(&details)),
                Err(_) => {
                    hedges_left -= 1;
                    commands.extend(quorum.hedge());
                }
            }
        }
    }

    /// Asks shard `index` for its cells and verifies them.
    fn fetch(&self, path: &DataPath, index: usize, stripes: Range<u32>) -> BoxFuture<'static, Fetched> {
        let shard = ShardId { extent: self.extent.id, index: index as u8 };
        let geometry = self.extent.geometry;
        let Some(disk) = self.disks.get(index).cloned().flatten() else {
            let absent = Err((ShardFault::Absent, "its place is not known".to_owned()));
            return Box::pin(std::future::ready((index, Duration::ZERO, absent)));
        };
        let clock = Arc::clone(&path.clock);
        Box::pin(async move {
            let started = clock.monotonic();
            let call = disk.node.read_cells(disk.id, shard, geometry, stripes.clone());
            let result = match tokio::time::timeout(FETCH_TIMEOUT, call).await {
                Ok(Ok(cells)) => verify(shard, &geometry, stripes, cells),
                Ok(Err(error)) => Err((fault_of(&error), error.to_string())),
                Err(_) => Err((ShardFault::Unreachable, format!("disk {}: no answer in {FETCH_TIMEOUT:?}", disk.id))),
            };
            (index, clock.monotonic().saturating_sub(started), result)
        })
    }

    /// Remembers, logs and reports a bad shard.
    fn note(&mut self, path: &DataPath, index: usize, fault: ShardFault, detail: &str) {
        let (Some(avoid), Some(noted)) = (self.avoid.get_mut(index), self.noted.get_mut(index)) else { return };
        *avoid = true;
        if std::mem::replace(noted, true) {
            return;
        }
        let Some(disk) = self.disks.get(index).and_then(Option::as_ref) else { return };
        let kind = match fault {
            ShardFault::Missing => ShardReportKind::Missing,
            ShardFault::Corrupt => ShardReportKind::Corrupt,
            // A silent disk is the failure detector's concern, not the repair queue's, and is logged where it is
            // detected.
            ShardFault::Unreachable => {
                tracing::debug!(extent = %self.extent.id, shard = index, detail, "reading around a silent disk");
                return path.health.failed(disk.number, StorageErrorKind::Unreachable);
            }
            ShardFault::Absent => return,
        };
        tracing::warn!(extent = %self.extent.id, shard = index, detail, "reading around a bad shard");
        path.faults.report(ShardReport { extent: self.extent.id, index: index as u8, disk: disk.number, kind });
    }

    fn lost(&self, details: &[String]) -> ReadError {
        let absent = self.disks.iter().filter(|d| d.is_none()).count();
        let mut detail = details.join("; ");
        if absent > 0 {
            detail = format!("{absent} shards have no place that this gateway knows; {detail}");
        }
        ReadError::Lost { extent: self.extent.id, detail, needed: self.extent.geometry.data_shards }
    }
}

/// The one check that covers disk, network and memory (I6).
fn verify(
    shard: ShardId,
    geometry: &Geometry,
    stripes: Range<u32>,
    cells: Vec<Cell>,
) -> Result<Vec<Cell>, (ShardFault, String)> {
    let corrupt = |detail: String| Err((ShardFault::Corrupt, detail));
    if cells.len() != stripes.len() {
        return corrupt(format!("{} cells arrived instead of {}", cells.len(), stripes.len()));
    }
    for (stripe, cell) in stripes.zip(&cells) {
        if cell.data.len() != geometry.cell_length(stripe) as usize || !cell.verify(shard.cell(stripe)) {
            return corrupt(format!("cell {stripe} does not match its checksum"));
        }
    }
    Ok(cells)
}

fn fault_of(error: &StorageError) -> ShardFault {
    use StorageErrorKind as K;
    match error.kind {
        K::Missing => ShardFault::Missing,
        K::Corrupt => ShardFault::Corrupt,
        K::Unreachable
        | K::Full
        | K::Failed
        | K::Foreign
        | K::NoSuchDisk
        | K::Busy
        | K::Refused
        | K::Invalid
        | K::OutOfResources
        | K::Hanging => ShardFault::Unreachable,
    }
}
