//! The snapshot type of openraft.

use std::sync::Arc;

use super::incoming::LoadedState;
use crate::state::tables::View;

pub(crate) enum SnapshotData {
    Empty,
    /// A view of this member's state.
    Live(Arc<View>),
    /// The state of another member.
    Loaded(LoadedState),
}
