//! Reads whole bodies, or ranges of them.

use std::ops::Range;

use bytes::Bytes;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::footprint::{self, read_batch_stripes};
use cairn_core::geometry::Geometry;
use cairn_core::limits::EXTENT_BYTES_MAX;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::LocateExtents;
use cairn_protocol::metadata::{LocatedExtent, MetadataExt};

use super::error::ReadError;
use super::extent::ExtentReader;
use crate::data::budget::{BudgetError, MemoryShare};
use crate::data::path::DataPath;

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
    /// Bytes that the read holds in memory at most.
    footprint: u64,
    /// `None` if whoever reads has taken these bytes together with its own.
    share: Option<MemoryShare>,
}

impl DataPath {
    /// Opens the bytes `range` of an object. `located` are the extents from the start of the range on that the metadata
    /// service has already sent.
    pub async fn read(
        &self,
        content: Content,
        range: Range<u64>,
        located: Vec<LocatedExtent>,
    ) -> Result<BodyReader, ReadError> {
        let mut reader = self.open_body(content, range, located).await?;
        reader.share = Some(self.budget.take(reader.footprint).await?);
        Ok(reader)
    }

    /// As [`DataPath::read`], but the caller takes [`BodyReader::footprint`] from the budget before it reads.
    pub(in crate::data) async fn open_body(
        &self,
        content: Content,
        range: Range<u64>,
        mut located: Vec<LocatedExtent>,
    ) -> Result<BodyReader, ReadError> {
        if located.is_empty() && !range.is_empty() {
            located = self.locate(content, range.start).await?;
        }
        let footprint = footprint(&located, &range, self.view.get().as_deref(), self.budget.total_bytes());
        located.reverse();
        Ok(BodyReader { path: self.clone(), content, range, located, current: None, footprint, share: None })
    }

    async fn locate(&self, content: Content, from: u64) -> Result<Vec<LocatedExtent>, ReadError> {
        Ok(self.metadata.ask(LocateExtents { content, from, limit: LOCATE_EXTENTS }).await?.extents)
    }
}

/// Bytes that reading `range` takes: as much as the largest of the located extents. Extents beyond those may have any profile
/// of the map that fits in `memory_bytes`: what does not fit is refused where it is met, and only there.
fn footprint(located: &[LocatedExtent], range: &Range<u64>, map: Option<&ClusterMap>, memory_bytes: u64) -> u64 {
    let known = located.iter().map(|extent| of_extent(extent, range)).max();
    let end = located.last().map_or(range.start, |last| last.offset + last.geometry.length);
    let profiles = map.filter(|_| end < range.end).into_iter().flat_map(ClusterMap::all_profiles);
    let whole = |profile| footprint::read(&Geometry::new(profile, EXTENT_BYTES_MAX), &(0..EXTENT_BYTES_MAX), true);
    profiles.map(whole).filter(|bytes| *bytes <= memory_bytes).chain(known).max().unwrap_or(0)
}

/// Bytes that reading the part of `range` in `extent` takes.
fn of_extent(extent: &LocatedExtent, range: &Range<u64>) -> u64 {
    let (start, end) = (extent.offset, extent.offset + extent.geometry.length);
    let (from, to) = (range.start.max(start), range.end.min(end));
    if from >= to {
        return 0;
    }
    footprint::read(&extent.geometry, &(from - start..to - start), from > range.start || to < range.end)
}

impl BodyReader {
    /// Bytes that the read holds in memory at most.
    pub(in crate::data) fn footprint(&self) -> u64 {
        self.footprint
    }

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
        let stripes = all.start..all.end.min(all.start + read_batch_stripes(&geometry));
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
            self.located = self.path.locate(self.content, offset).await?;
            self.located.reverse();
        }
        let extent = self.located.pop().filter(holds).ok_or(ReadError::Gap { offset })?;
        self.cover(&extent)?;
        ExtentReader::open(&self.path, extent).await
    }

    /// Makes sure that `extent` takes no more memory than this read has: its profile may be newer than the map by which the
    /// share was measured.
    fn cover(&mut self, extent: &LocatedExtent) -> Result<(), BudgetError> {
        let needed = of_extent(extent, &self.range);
        if needed <= self.footprint {
            return Ok(());
        }
        let budget = &self.path.budget;
        let share = self.share.as_mut().ok_or(BudgetError::Exhausted { budget_bytes: budget.total_bytes() })?;
        budget.grow(share, needed)?;
        self.footprint = needed;
        Ok(())
    }
}
