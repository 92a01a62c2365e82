//! A stored body as the source of another.

use std::collections::VecDeque;

use bytes::Bytes;

use super::read::{BodyReader, ReadError};
use super::source::BodySource;

/// Reads a stored body as the input of a write.
pub struct CopySource {
    reader: Option<BodyReader>,
    frames: VecDeque<Bytes>,
}

impl CopySource {
    /// Reads from `reader`; `None` stands for an empty body.
    pub fn new(reader: Option<BodyReader>) -> Self {
        Self { reader, frames: VecDeque::new() }
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
}
