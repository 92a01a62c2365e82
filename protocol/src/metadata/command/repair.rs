//! Commands of repair.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use minicbor::{Decode, Encode};

/// Allows one shard to be rebuilt on a disk. Until the rebuild is published or ended, the shard on that disk is not
/// garbage, although no row names it (I13). Refused with `Stale` if the extent is gone or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantRebuild {
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub index: u8,
    #[n(2)]
    pub target: DiskNumber,
    /// The generation of the locations for which the rebuild was planned.
    #[n(3)]
    pub generation: Generation,
}

/// Names one rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct RebuildId {
    #[n(0)]
    pub extent: ExtentId,
    #[n(1)]
    pub index: u8,
    /// The commit that granted it, different for each rebuild.
    #[n(2)]
    pub grant: CommitSequence,
}

/// Publishes a rebuild: the shard is now where the grant allowed it. A compare-and-swap (I11): refused with `Stale`
/// unless the grant still stands and the locations have not changed since.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplaceShard {
    #[n(0)]
    pub rebuild: RebuildId,
    /// Whether the disk that held the shard until now is to delete it. False if that disk cannot be reached: it is
    /// reconciled when it returns.
    #[n(1)]
    pub release: bool,
    /// The rebalance that moves the shard and counts it. Refused with `Stale` once it has ended. `None` for a repair or
    /// a drain.
    #[n(2)]
    pub rebalance: Option<CommitSequence>,
}

/// Ends rebuilds that will not be published. What they have stored is garbage from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndRebuilds {
    #[n(0)]
    pub rebuilds: Vec<RebuildId>,
}
