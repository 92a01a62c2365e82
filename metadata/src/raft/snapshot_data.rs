//! What openraft hands around as a snapshot.

use std::sync::Arc;

use redb::Database;

use crate::state::tables::View;

/// What a snapshot consists of.
pub(crate) enum SnapshotData {
    /// Nothing yet.
    Empty,
    /// A view of this member's state.
    Live(Arc<View>),
    /// The state of another member, loaded into a file of its own.
    Loaded(Arc<Database>),
}
