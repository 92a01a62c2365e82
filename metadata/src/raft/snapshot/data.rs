//! The snapshot type of openraft.

use super::incoming::LoadedState;
use super::spooled_snapshot::LiveState;

pub(crate) enum SnapshotData {
    Empty,
    /// This member's state.
    Live(LiveState),
    /// The state of another member.
    Loaded(LoadedState),
}
