//! Reads whole bodies, or ranges of them.

use std::ops::Range;

use bytes::Bytes;
use cairn_core::limits::CELLS_PER_READ_MAX;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::LocateExtents;
use cairn_protocol::metadata::{LocatedExtent, MetadataExt};
use tokio::sync::OwnedSemaphorePermit;

use super::error::ReadError;
use super::extent::ExtentReader;
use crate::data::path::DataPath;

/// Data bytes that are fetched together.
const BATCH_BYTES: u64 = 1 << 20;
/// Memory of one streamed read, in bytes: a batch on its way to the client, one that waits, one that is being fetched.
const STREAM_BYTES: u64 = 4 << 20;
/// Extents located in one query.
pub(crate) const LOCATE_EXTENTS: u32 = 16;

/// Reads a range of one object, batch by batch.
pub struct BodyReader {
    path: DataPath,
    content: Content,
    range: Range<u64>,
    /// Located extents, the next one last.
    located: Vec<LocatedExtent>,
    current: Option<ExtentReader>,
    _share: OwnedSemaphorePermit,
}

impl DataPath {
    /// Opens the bytes `range` of an object. `located` are the extents from the start of the range on that the metadata
    /// service has already sent.
    pub async fn read(
        &self,
        content: Content,
        range: Range<u64>,
        mut located: Vec<LocatedExtent>,
    ) -> Result<BodyReader, ReadError> {
        let share = self.budget.take((2 * (range.end - range.start)).min(STREAM_BYTES)).await?;
        located.reverse();
        Ok(BodyReader { path: self.clone(), content, range, located, current: None, _share: share })
    }
}

impl BodyReader {
    /// The next batch of verified bytes, in pieces; `None` at the end of the range.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Bytes>>, ReadError> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let range = self.range.clone();
        let mut reader = self.extent_of(range.start).await?;
        let geometry = reader.extent().geometry;
        let start = reader.extent().offset;
        let end = range.end.min(start + geometry.length);
        let all = geometry.stripes_of(&(range.start - start..end - start));
        let stripes = all.start..all.end.min(all.start + batch_stripes(geometry.stripe_bytes()));
        let batch_end = (start + geometry.stripe_start(stripes.end)).min(end);
        let frames = reader.read(&self.path, stripes, range.start - start..batch_end - start).await?;
        self.current = Some(reader);
        self.range.start = batch_end;
        Ok(Some(frames))
    }

    /// The reader of the extent that holds byte `offset`: the current one, or that of the next extent.
    async fn extent_of(&mut self, offset: u64) -> Result<ExtentReader, ReadError> {
        let holds = |e: &LocatedExtent| (e.offset..e.offset + e.geometry.length).contains(&offset);
        if let Some(reader) = self.current.take().filter(|r| holds(r.extent())) {
            return Ok(reader);
        }
        if self.located.is_empty() {
            let query = LocateExtents { content: self.content, from: offset, limit: LOCATE_EXTENTS };
            self.located = self.path.metadata.ask(query).await?.extents;
            self.located.reverse();
        }
        let extent = self.located.pop().filter(holds).ok_or(ReadError::Gap { offset })?;
        ExtentReader::open(&self.path, extent).await
    }
}

/// Stripes in one batch: about [`BATCH_BYTES`] of data, and no more than one read may ask a shard for.
fn batch_stripes(stripe_bytes: u64) -> u32 {
    (BATCH_BYTES / stripe_bytes.max(1)).clamp(1, u64::from(CELLS_PER_READ_MAX)) as u32
}
