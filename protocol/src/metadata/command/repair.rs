//! Commands of repair.

use cairn_core::id::{CommitSequence, DiskNumber, ExtentId, Generation};
use minicbor::{Decode, Encode};

/// Allows one shard to be made anew on a disk. Until the rebuild is published or ended, the shard on that disk is no
/// garbage, although no row names it (I13). Refused with `Stale` if the extent is gone or has changed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GrantRebuild {
    /// The extent.
    #[n(0)]
    pub extent: ExtentId,
    /// The shard's index.
    #[n(1)]
    pub index: u8,
    /// The disk that will hold it.
    #[n(2)]
    pub target: DiskNumber,
    /// The generation of the locations that the plan was made on.
    #[n(3)]
    pub generation: Generation,
}

/// Names one rebuild.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub struct RebuildId {
    /// The extent.
    #[n(0)]
    pub extent: ExtentId,
    /// The shard's index.
    #[n(1)]
    pub index: u8,
    /// The commit that granted it: no two rebuilds have the same.
    #[n(2)]
    pub grant: CommitSequence,
}

/// Publishes a rebuild: from now on the shard is where it was granted. A compare-and-swap (I11): refused with `Stale`
/// unless the grant stands and the locations are those that it was given on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ReplaceShard {
    /// The rebuild.
    #[n(0)]
    pub rebuild: RebuildId,
    /// Whether the disk that held the shard so far is to delete it. Not so where it cannot be reached: what returns is
    /// reconciled.
    #[n(1)]
    pub release: bool,
    /// The rebalance that moves the shard, which counts it; refused with `Stale` once that has ended. Nothing for a repair
    /// or a drain.
    #[n(2)]
    pub rebalance: Option<CommitSequence>,
}

/// Ends rebuilds that will not be published. Whatever they have stored is garbage from now on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndRebuilds {
    /// The rebuilds.
    #[n(0)]
    pub rebuilds: Vec<RebuildId>,
}
