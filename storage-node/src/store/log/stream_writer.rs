//! A shard that streams in, as its sender holds it.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use cairn_core::cell::Cell;
use cairn_core::shard::body_range;
use cairn_protocol::storage::{ShardWriter, StorageError, StorageErrorKind};
use tokio::sync::{Semaphore, oneshot};

use crate::format::{Footer, RecordHeader};
use crate::store::options::WRITE_BYTES_MAX;
use crate::store::requests::{Region, StreamRequest};
use crate::store::shared::Shared;

/// Appends of one stream that may be under way at the same time: the next batch is taken while one is being written.
const APPENDS_MAX: usize = 2;

/// A shard that streams in.
pub(crate) struct StreamWriter {
    shared: Arc<Shared>,
    /// Bounds the bytes of shards in memory.
    memory: Arc<Semaphore>,
    region: Arc<Region>,
    footer: Footer,
    next_cell: u32,
    under_way: VecDeque<oneshot::Receiver<Result<(), StorageError>>>,
}

impl StreamWriter {
    pub(crate) fn new(shared: Arc<Shared>, memory: Arc<Semaphore>, region: Region) -> Self {
        let (region, under_way) = (Arc::new(region), VecDeque::new());
        Self { shared, memory, region, footer: Footer::new(), next_cell: 0, under_way }
    }

    /// Waits until at most `most` appends are under way.
    async fn settle(&mut self, most: usize) -> Result<(), StorageError> {
        while self.under_way.len() > most
            && let Some(oldest) = self.under_way.pop_front()
        {
            oldest.await.unwrap_or_else(|_| Err(self.shared.disk.closing()))?;
        }
        Ok(())
    }

    fn check(&self, cells: &[Cell]) -> Result<(), StorageError> {
        check_cells(self.region.header(), self.next_cell, cells)
            .map_err(|detail| self.shared.disk.error(StorageErrorKind::Invalid, detail))
    }
}

/// Checks that `cells`, from cell `first` on, are as long as the geometry says.
pub(crate) fn check_cells(header: &RecordHeader, first: u32, cells: &[Cell]) -> Result<(), String> {
    let geometry = &header.geometry;
    for (stripe, cell) in (first..).zip(cells) {
        let (bytes, wanted) = (cell.data.len(), geometry.cell_length(stripe));
        if stripe >= geometry.stripes() || bytes != wanted as usize {
            return Err(format!("cell {stripe} of {} has {bytes} bytes, its geometry wants {wanted}", header.shard));
        }
    }
    Ok(())
}

#[async_trait]
impl ShardWriter for StreamWriter {
    async fn append(&mut self, cells: Vec<Cell>) -> Result<(), StorageError> {
        if cells.is_empty() {
            return Ok(());
        }
        self.check(&cells)?;
        self.settle(APPENDS_MAX - 1).await?;
        let disk = &self.shared.disk;
        let bytes: usize = cells.iter().map(|cell| cell.data.len()).sum();
        let permits = bytes.min(WRITE_BYTES_MAX) as u32;
        let memory = Arc::clone(&self.memory).acquire_many_owned(permits).await;
        let memory = memory.map_err(|_| disk.closing())?;
        for cell in &cells {
            self.footer.add(&cell.checksum);
        }
        let count = cells.len() as u32;
        let header = self.region.header();
        let body = body_range(&header.geometry, &(self.next_cell..self.next_cell + count));
        let (reply, answer) = oneshot::channel();
        let offset = header.body_start() + body.start;
        let request = StreamRequest::Cells { region: Arc::clone(&self.region), offset, cells, memory, reply };
        self.shared.streams.push(request).map_err(|e| disk.push_error(e))?;
        self.next_cell += count;
        self.under_way.push_back(answer);
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        let header = self.region.header();
        let (cells, wanted) = (self.next_cell, header.geometry.stripes());
        if cells != wanted {
            let detail = format!("{} ends after {cells} of {wanted} cells", header.shard);
            return Err(self.shared.disk.error(StorageErrorKind::Invalid, detail));
        }
        self.settle(0).await?;
        let (reply, answer) = oneshot::channel();
        let Self { shared, region, footer, .. } = *self;
        let footer = region.footer(&footer);
        let request = StreamRequest::Finish { region, footer, reply };
        shared.streams.push(request).map_err(|e| shared.disk.push_error(e))?;
        answer.await.unwrap_or_else(|_| Err(shared.disk.closing()))
    }
}
