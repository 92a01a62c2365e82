//! Commands of rebalancing.

use cairn_core::id::CommitSequence;
use minicbor::{Decode, Encode};

/// Starts a rebalance, or changes the rate of the running one. Refused with `Topology` while a rebalance of the other
/// kind is running.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StartRebalance {
    /// `None` for repair's own cap.
    #[n(0)]
    pub bytes_per_s_max: Option<u64>,
    /// Whether it re-encodes off-profile objects, instead of moving shards.
    #[n(1)]
    #[cbor(default)]
    pub reencodes: bool,
}

/// Ends the running rebalance. From this commit on it publishes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndRebalance {
    /// `None` for whichever is running.
    #[n(0)]
    pub rebalance: Option<CommitSequence>,
    #[n(1)]
    pub end: RebalanceEnd,
}

/// Why a rebalance ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum RebalanceEnd {
    /// By the operator.
    #[n(0)]
    Stopped,
    /// Every disk holds its share.
    #[n(1)]
    Even,
    /// Not every disk holds its share, and no further shard can move. Says why.
    #[n(2)]
    Stuck(#[n(0)] String),
    /// No object is off-profile any more.
    #[n(3)]
    Reencoded,
}
