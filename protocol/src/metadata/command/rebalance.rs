//! Commands of rebalancing.

use cairn_core::id::CommitSequence;
use minicbor::{Decode, Encode};

/// Begins a rebalance, or gives the one under way another rate. Refused with `Topology` while one of the other kind is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StartRebalance {
    /// Bytes per second that it writes at most; nothing for the cap of repair.
    #[n(0)]
    pub bytes_per_s_max: Option<u64>,
    /// Whether it re-encodes what is not coded as new objects are, instead of moving shards.
    #[n(1)]
    #[cbor(default)]
    pub reprotects: bool,
}

/// Ends the rebalance under way. From this commit on it publishes nothing more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndRebalance {
    /// The one that is meant; nothing for whichever is under way.
    #[n(0)]
    pub rebalance: Option<CommitSequence>,
    /// Why it ends.
    #[n(1)]
    pub end: RebalanceEnd,
}

/// Why a rebalance ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RebalanceEnd {
    /// The operator stopped it.
    #[n(0)]
    Stopped,
    /// Every disk holds its share.
    #[n(1)]
    Even,
    /// Not every disk holds its share, and nothing more can move.
    #[n(2)]
    Stuck(#[n(0)] String),
    /// Everything is coded as new objects are.
    #[n(3)]
    Reprotected,
}
