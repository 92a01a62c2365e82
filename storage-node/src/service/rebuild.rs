//! Rebuilds a shard on a disk of this node: reads the survivors of the extent, verifies every cell, computes the wanted
//! column alone, and stores it.

use std::ops::Range;
use std::time::Duration;

use cairn_core::cell::Cell;
use cairn_core::codec::Codec;
use cairn_core::footprint::rebuild_batch_stripes;
use cairn_core::shard::{ShardHeader, ShardId};
use cairn_core::stripe;
use cairn_protocol::metadata::command::ShardReportKind;
use cairn_protocol::storage::{
    RebuildOrder, RebuildReport, RebuildSource, ShardWriter, StorageDirectory, StorageError, StorageErrorKind,
};
use futures_util::future::join_all;

/// Time for one source to answer.
const SOURCE_LIMIT: Duration = Duration::from_secs(20);

/// Carries out an order; `target` is the disk's own node.
pub(super) async fn run<T: cairn_protocol::storage::StorageNode>(
    target: &T,
    peers: StorageDirectory,
    order: RebuildOrder,
) -> Result<RebuildReport, StorageError> {
    let disk = order.disk;
    let invalid = |detail: String| StorageError::new(StorageErrorKind::Invalid, disk, detail);
    let geometry = order.geometry;
    geometry.check().map_err(|e| invalid(e.to_string()))?;
    let codec = Codec::new(geometry.data_shards, geometry.parity_shards).map_err(|e| invalid(e.to_string()))?;
    let mut rebuild = Rebuild { peers, codec, sources: order.sources.clone(), bad: Vec::new(), read_bytes: 0, order };
    let failure = rebuild.store(target).await.err();
    Ok(RebuildReport { failure, bad: rebuild.bad, read_bytes: rebuild.read_bytes })
}

struct Rebuild {
    peers: StorageDirectory,
    codec: Codec,
    order: RebuildOrder,
    /// The order's sources; those that failed move to the end.
    sources: Vec<RebuildSource>,
    bad: Vec<(u8, ShardReportKind)>,
    read_bytes: u64,
}

/// Why a source failed.
struct Fault {
    index: u8,
    kind: Option<ShardReportKind>,
    detail: String,
}

impl Rebuild {
    async fn store<T: cairn_protocol::storage::StorageNode>(&mut self, target: &T) -> Result<(), StorageError> {
        let header = self.describe().await?;
        let (disk, stripes) = (self.order.disk, self.order.geometry.stripes());
        let batch = rebuild_batch_stripes(&self.order.geometry);
        if stripes <= batch {
            let cells = self.column(0..stripes).await?;
            return target.put_shard(disk, header, cells).await;
        }
        let mut writer: Box<dyn ShardWriter> = target.open_shard(disk, header).await?;
        for first in (0..stripes).step_by(batch as usize) {
            let cells = self.column(first..(first + batch).min(stripes)).await?;
            writer.append(cells).await?;
        }
        writer.finish().await
    }

    /// The header of the new shard, with the descriptor of its siblings.
    async fn describe(&mut self) -> Result<ShardHeader, StorageError> {
        let mut details = Vec::new();
        for source in self.sources.clone() {
            let shard = ShardId { extent: self.order.shard.extent, index: source.index };
            let node = self.peers.node(&source.node);
            match tokio::time::timeout(SOURCE_LIMIT, node.describe_shard(source.disk, shard)).await {
                Ok(Ok(found)) if found.id == shard && found.geometry == self.order.geometry => {
                    return Ok(ShardHeader { id: self.order.shard, profile: self.order.profile, ..found });
                }
                Ok(Ok(found)) => {
                    let detail = format!("{shard} says that it is {} of {:?}", found.id, found.geometry);
                    self.note(Fault {
                        index: source.index,
                        kind: Some(ShardReportKind::Corrupt),
                        detail: detail.clone(),
                    });
                    details.push(detail);
                }
                Ok(Err(error)) => {
                    let (kind, detail) = (report_kind(error.kind), error.to_string());
                    self.note(Fault { index: source.index, kind, detail: detail.clone() });
                    details.push(detail);
                }
                Err(_) => details.push(format!("disk {}: no answer in {SOURCE_LIMIT:?}", source.disk)),
            }
        }
        Err(self.lost(&details))
    }

    /// The wanted shard's cells of `stripes`. If no `k` sources are good for all stripes together, each stripe is tried on its
    /// own: bad cells may be in different stripes.
    async fn column(&mut self, stripes: Range<u32>) -> Result<Vec<Cell>, StorageError> {
        match self.attempt(stripes.clone()).await {
            Ok(cells) => Ok(cells),
            Err(error) if stripes.len() == 1 => Err(error),
            Err(_) => {
                let mut cells = Vec::with_capacity(stripes.len());
                for stripe in stripes {
                    cells.extend(self.attempt(stripe..stripe + 1).await?);
                }
                Ok(cells)
            }
        }
    }

    /// Asks as many sources as are needed, and others in place of those that fail. An old copy of the shard itself is enough.
    async fn attempt(&mut self, stripes: Range<u32>) -> Result<Vec<Cell>, StorageError> {
        let wanted = self.order.shard.index;
        let needed = usize::from(self.order.geometry.data_shards);
        let mut left: Vec<RebuildSource> = self.sources.clone();
        let mut details = Vec::new();
        if left.first().is_some_and(|source| source.index == wanted) {
            let own = left.remove(0);
            match self.fetch(own, stripes.clone()).await {
                Ok((_, cells)) => {
                    self.count(&cells);
                    return Ok(cells);
                }
                Err(fault) => {
                    details.push(fault.detail.clone());
                    self.note(fault);
                }
            }
        }
        left.retain(|source| source.index != wanted);
        left.reverse();
        let mut good: Vec<(u8, Vec<Cell>)> = Vec::with_capacity(needed);
        while good.len() < needed {
            let next: Vec<RebuildSource> = left.split_off(left.len() - (needed - good.len()).min(left.len()));
            if next.len() + good.len() < needed {
                return Err(self.lost(&details));
            }
            let asked = next.into_iter().rev().map(|source| self.fetch(source, stripes.clone()));
            for answer in join_all(asked).await {
                match answer {
                    Ok(found) => good.push(found),
                    Err(fault) => {
                        details.push(fault.detail.clone());
                        self.note(fault);
                    }
                }
            }
        }
        for (_, cells) in &good {
            self.count(cells);
        }
        self.compute(stripes.start, good).await
    }

    /// Reads cells of one source and verifies them (I6).
    fn fetch(
        &self,
        source: RebuildSource,
        stripes: Range<u32>,
    ) -> impl Future<Output = Result<(u8, Vec<Cell>), Fault>> + use<> {
        let (node, geometry) = (self.peers.node(&source.node), self.order.geometry);
        let shard = ShardId { extent: self.order.shard.extent, index: source.index };
        async move {
            let index = source.index;
            let call = node.read_cells(source.disk, shard, geometry, stripes.clone());
            let cells = match tokio::time::timeout(SOURCE_LIMIT, call).await {
                Ok(Ok(cells)) => cells,
                Ok(Err(error)) => {
                    return Err(Fault { index, kind: report_kind(error.kind), detail: error.to_string() });
                }
                Err(_) => {
                    let detail = format!("disk {}: no answer in {SOURCE_LIMIT:?}", source.disk);
                    return Err(Fault { index, kind: None, detail });
                }
            };
            // Hashing a megabyte would block a thread that serves requests.
            let verified = tokio::task::spawn_blocking(move || {
                let whole = cells.len() == stripes.len()
                    && stripes.zip(&cells).all(|(stripe, cell)| {
                        cell.data.len() == geometry.cell_length(stripe) as usize && cell.verify(shard.cell(stripe))
                    });
                whole.then_some(cells)
            });
            match verified.await {
                Ok(Some(cells)) => Ok((index, cells)),
                Ok(None) => {
                    let detail = format!("disk {}: {shard} does not match its checksums", source.disk);
                    Err(Fault { index, kind: Some(ShardReportKind::Corrupt), detail })
                }
                Err(broken) => Err(Fault { index, kind: None, detail: broken.to_string() }),
            }
        }
    }

    /// Computes the wanted column alone.
    async fn compute(&self, first: u32, good: Vec<(u8, Vec<Cell>)>) -> Result<Vec<Cell>, StorageError> {
        let (codec, shard, disk) = (self.codec.clone(), self.order.shard, self.order.disk);
        let failed = move |detail: String| StorageError::new(StorageErrorKind::Invalid, disk, detail);
        let computed = tokio::task::spawn_blocking(move || {
            let (indexes, cells): (Vec<usize>, Vec<Vec<Cell>>) =
                good.into_iter().map(|(index, cells)| (usize::from(index), cells)).unzip();
            let recipe = codec.recipe(&indexes, usize::from(shard.index))?;
            stripe::rebuild(&recipe, shard, first, &cells)
        });
        let computed = computed.await.map_err(|e| failed(e.to_string()))?;
        computed.map_err(|e| failed(e.to_string()))
    }

    fn count(&mut self, cells: &[Cell]) {
        self.read_bytes += cells.iter().map(|cell| cell.data.len() as u64).sum::<u64>();
    }

    /// Remembers a fault; its source is asked last from now on.
    fn note(&mut self, fault: Fault) {
        let Fault { index, kind, detail } = fault;
        tracing::warn!(shard = %self.order.shard, source = index, "rebuilding around a bad source: {detail}");
        if let Some(at) = self.sources.iter().position(|source| source.index == index) {
            let source = self.sources.remove(at);
            self.sources.push(source);
        }
        if let Some(kind) = kind
            && !self.bad.iter().any(|(known, _)| *known == index)
        {
            self.bad.push((index, kind));
        }
    }

    fn lost(&self, details: &[String]) -> StorageError {
        let (needed, shard) = (self.order.geometry.data_shards, self.order.shard);
        let detail = format!("{shard} cannot be rebuilt: {needed} good shards are needed; {}", details.join("; "));
        StorageError::new(StorageErrorKind::Unreachable, self.order.disk, detail)
    }
}

/// What a failed read says about the shard; `None` if it only says something about the disk or the network (I9).
fn report_kind(kind: StorageErrorKind) -> Option<ShardReportKind> {
    match kind {
        StorageErrorKind::Missing => Some(ShardReportKind::Missing),
        StorageErrorKind::Corrupt => Some(ShardReportKind::Corrupt),
        _ => None,
    }
}
