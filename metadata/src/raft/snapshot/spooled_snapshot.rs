//! A snapshot that is sent from a file.

use std::sync::{Arc, Weak};

use super::spool::{Spool, Spools};
use super::stream::{StreamHash, drain};
use crate::error::StoreError;
use crate::state::tables::View;

/// A view of this member's state that may be sent somewhere.
pub(crate) struct LiveState {
    pub(crate) view: View,
    pub(crate) spools: Arc<Spools>,
}

/// A snapshot in a file.
pub(crate) struct SpooledSnapshot {
    spool: Spool,
    chunks: Vec<SpooledChunk>,
}

struct SpooledChunk {
    offset: u64,
    bytes: usize,
    /// The stream's, up to the end of this chunk.
    hash: StreamHash,
}

/// A chunk of a snapshot.
pub(crate) struct Chunk {
    pub(crate) records: Vec<u8>,
    pub(crate) is_last: bool,
    /// The stream's, up to the end of this chunk.
    pub(crate) hash: StreamHash,
}

impl SpooledSnapshot {
    /// Copies the state and lets go of it. Fails as [`Spools::begin`] and [`Spool::append`] do.
    pub(crate) fn copy(state: LiveState, wanted: Weak<()>) -> Result<Self, StoreError> {
        let (mut spool, mut chunks, mut hash) = (state.spools.begin(wanted)?, Vec::new(), StreamHash::default());
        drain(state.view, |records, is_last| {
            hash = hash.after(records, is_last);
            chunks.push(SpooledChunk { offset: spool.bytes(), bytes: records.len(), hash });
            spool.append(records)
        })?;
        Ok::<_, StoreError>(Self { spool, chunks })
    }

    /// The number of chunks: at least one.
    pub(crate) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Bytes of all chunks.
    pub(crate) fn bytes(&self) -> u64 {
        self.spool.bytes()
    }

    /// The chunk `number`, counted from 0. Fails if it is not what was written, and if the room for the file is needed.
    pub(crate) fn chunk(&self, number: usize) -> Result<Chunk, StoreError> {
        self.spool.check_room()?;
        let damaged = || StoreError::Damaged { table: "snapshot", detail: format!("its copy has no chunk {number}") };
        let SpooledChunk { offset, bytes, hash } = self.chunks.get(number).ok_or_else(damaged)?;
        let before = number.checked_sub(1).and_then(|before| self.chunks.get(before));
        let before = before.map(|chunk| chunk.hash).unwrap_or_default();
        let (records, is_last) = (self.spool.read(*offset, *bytes)?, number + 1 == self.chunks.len());
        if before.after(&records, is_last) != *hash {
            return Err(self.spool.changed(*offset));
        }
        Ok(Chunk { records, is_last, hash: *hash })
    }
}
