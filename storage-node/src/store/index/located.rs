//! Where shards were found, and as of when.

use super::entry::Entry;

/// Where a shard was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Located {
    /// `None` if the disk does not hold the shard.
    pub(crate) entry: Option<Entry>,
    /// The checkpoint as of which that holds: see [`super::state::State::generation`].
    pub(crate) generation: u64,
}
