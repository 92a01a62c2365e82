//! A record that is written and waits for its sync.

use std::collections::BTreeSet;
use std::sync::Arc;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::StorageError;
use tokio::sync::oneshot;

use crate::format::{Place, RecordHeader};
use crate::store::active_volume::ActiveVolume;
use crate::store::index::{Entry, Located};

/// Where the answer to a request goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StorageError>>;

/// A record that is written and waits for its sync.
pub(crate) struct Ack {
    pub(crate) volume: Arc<ActiveVolume>,
    pub(crate) header: RecordHeader,
    pub(crate) change: Change,
    pub(crate) reply: Reply<()>,
}

/// What the record changes in the index.
pub(crate) enum Change {
    /// The shard is here now; it was located at `earlier`.
    Put { shard: ShardId, entry: Entry, earlier: Located },
    /// A copy of the record at `from` is here now; the shard was located at `earlier`.
    Move { shard: ShardId, entry: Entry, from: Place, earlier: Located },
    /// The record keeps dead, in the volumes `covered`, what only an older volume's tombstones did.
    Carry { covered: BTreeSet<u32> },
    /// The shards are deleted; each with where it was located.
    Delete { shards: Vec<(ShardId, Located)> },
}
