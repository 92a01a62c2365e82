//! A stored body as the source of another.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use cairn_protocol::metadata::LocatedExtent;
use cairn_protocol::metadata::content::Content;

use super::path::DataPath;
use super::read::{BodyReader, ReadError};
use super::source::BodySource;

/// Reads a stored body as the input of a write, which takes one share of the memory budget for both.
pub struct CopySource {
    reader: Option<BodyReader>,
    frames: VecDeque<Bytes>,
}

impl CopySource {
    /// A source without bytes.
    pub fn empty() -> Self {
        Self { reader: None, frames: VecDeque::new() }
    }
}

impl DataPath {
    /// Opens the bytes `range` of an object for a write. `located` are the extents from the start of the range on that are
    /// known already.
    pub async fn copy_source(
        &self,
        content: Content,
        range: Range<u64>,
        located: Vec<LocatedExtent>,
    ) -> Result<CopySource, ReadError> {
        let reader = self.open_body(content, range, located).await?;
        Ok(CopySource { reader: Some(reader), frames: VecDeque::new() })
    }
}

impl BodySource for CopySource {
    type Error = ReadError;

    async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        while self.frames.is_empty() {
            let Some(reader) = &mut self.reader else { return Ok(None) };
            match reader.next_batch().await? {
                Some(batch) => self.frames = batch.into(),
                None => return Ok(None),
            }
        }
        Ok(self.frames.pop_front())
    }

    fn held_bytes(&self) -> u64 {
        self.reader.as_ref().map_or(0, BodyReader::footprint)
    }
}
