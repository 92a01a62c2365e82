//! Cleans up after writes that are not committed.

use cairn_core::id::{ExtentId, SessionId};
use cairn_protocol::metadata::{ExtentRun, PlacedExtent, PlacedRun};

use crate::data::path::DataPath;

/// The extents of a body whose commit nobody has asked for yet. Dropping it deletes their shards: the client went
/// away, or the write failed.
pub(super) struct UncommittedRun {
    path: DataPath,
    placed: Option<PlacedRun>,
}

impl UncommittedRun {
    pub(super) fn new(path: DataPath, run: ExtentRun) -> Self {
        Self { path, placed: Some(PlacedRun { run, extents: Vec::new() }) }
    }

    /// An extent is about to be sent to these places.
    pub(super) fn attempt(&mut self, extent: PlacedExtent) {
        if let Some(placed) = &mut self.placed {
            placed.extents.push(extent);
        }
    }

    /// The last extent became durable in these places.
    pub(super) fn became_durable(&mut self, extent: PlacedExtent) {
        if let Some(last) = self.placed.as_mut().and_then(|p| p.extents.last_mut()) {
            *last = extent;
        }
    }

    pub(super) fn session(&self) -> SessionId {
        self.placed.as_ref().map_or(SessionId(0), |p| p.run.first.session)
    }

    /// The run, for its commit. From here on nothing is cleaned up.
    pub(super) fn into_placed(mut self) -> PlacedRun {
        let empty = ExtentRun { first: ExtentId::new(SessionId(0), 0), size: 0, extent_bytes: 1 };
        self.placed.take().unwrap_or(PlacedRun { run: empty, extents: Vec::new() })
    }
}

impl Drop for UncommittedRun {
    fn drop(&mut self) {
        if let Some(placed) = self.placed.take() {
            self.path.discard(&placed);
        }
    }
}
