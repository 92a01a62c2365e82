//! The sync thread: one fdatasync acknowledges everything that was written since the last (group commit). While it
//! runs, the log thread gathers and writes the next group; an idle disk adds no delay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::entry::Entry;
use super::options::CHECKPOINT_CHANGES_MAX;
use super::shared::{ActiveVolume, Reply, Shared};
use crate::format::{Place, RecordHeader};

/// A record that is written and waits for its sync.
pub(super) struct Ack {
    pub(super) volume: Arc<ActiveVolume>,
    pub(super) header: RecordHeader,
    pub(super) change: Change,
    pub(super) reply: Reply<()>,
}

/// What the record changes in the index.
pub(super) enum Change {
    /// The shard lies here now; it was known to lie at `earlier`, as of `generation`.
    Put { shard: ShardId, entry: Entry, earlier: Option<Entry>, generation: u64 },
    /// A copy of the record at `from` lies here now; the shard was known to lie at `earlier`, as of `generation`.
    Move { shard: ShardId, entry: Entry, from: Place, earlier: Option<Entry>, generation: u64 },
    /// The record keeps dead what only an older volume's tombstones did, in the volumes `covered`.
    Carry { covered: BTreeSet<u32> },
    /// The shards are gone; each was known to lie where the pair says, as of `generation`.
    Delete { place: Place, shards: Vec<(ShardId, Option<Entry>)>, generation: u64 },
}

/// Runs until the queue is closed and empty.
pub(super) fn run(shared: &Arc<Shared>) {
    let mut acks = Vec::new();
    while shared.syncs.drain(usize::MAX, &mut acks) {
        let mut by_volume: BTreeMap<u32, Vec<Ack>> = BTreeMap::new();
        for ack in acks.drain(..) {
            by_volume.entry(ack.volume.number).or_default().push(ack);
        }
        for acks in by_volume.into_values() {
            sync_volume(shared, acks);
        }
    }
}

fn sync_volume(shared: &Arc<Shared>, acks: Vec<Ack>) {
    let Some(volume) = acks.first().map(|ack| Arc::clone(&ack.volume)) else { return };
    let mut settled_before = 0;
    // A volume that failed is not synced again: a second sync may succeed without the lost bytes (I2).
    let failure = if volume.is_poisoned() {
        Some(shared.error(StorageErrorKind::Failed, "the volume has failed before"))
    } else {
        settled_before = shared.state().settled_before(volume.number);
        let _under_way = shared.syncing();
        volume.file.sync().err().map(|error| shared.poison(&volume, "a sync", &error))
    };
    if let Some(error) = failure {
        for ack in acks {
            shared.state().abandon(ack.header.place);
            let _ = ack.reply.send(Err(error.clone()));
        }
        return;
    }
    let mut replies: Vec<(Reply<()>, Result<(), StorageError>)> = Vec::with_capacity(acks.len());
    let upkeep = {
        let mut state = shared.state();
        state.synced(volume.number, settled_before);
        for ack in acks {
            let settled = state.settle(ack.header.place);
            let result = apply(shared, &mut state, &ack, settled.overtaken);
            replies.push((ack.reply, result));
        }
        state.changes() >= CHECKPOINT_CHANGES_MAX || state.has_holes()
    };
    for (reply, result) in replies {
        let _ = reply.send(result);
    }
    if upkeep {
        let _ = shared.upkeep.push(());
    }
}

fn apply(
    shared: &Arc<Shared>,
    state: &mut super::state::State,
    ack: &Ack,
    overtaken: bool,
) -> Result<(), StorageError> {
    match &ack.change {
        Change::Put { .. } if overtaken => {
            state.bury(ack.header.place, ack.header.record_bytes());
            Err(shared.error(StorageErrorKind::Refused, "the shard was deleted while it was being written"))
        }
        Change::Put { shard, entry, earlier, generation } => {
            let current = shared.current(state, *shard, *earlier, *generation);
            state.put(*shard, *entry, current);
            Ok(())
        }
        Change::Move { .. } if overtaken => {
            state.bury(ack.header.place, ack.header.record_bytes());
            Ok(())
        }
        Change::Move { shard, entry, from, earlier, generation } => {
            let current = shared.current(state, *shard, *earlier, *generation);
            if !state.move_record(*shard, *entry, *from, current) && current.is_none_or(|c| c.place < entry.place) {
                tracing::error!(%shard, %from, to = %entry.place, "a shard changed unseen while it was being moved");
            }
            Ok(())
        }
        Change::Carry { covered } => {
            let place = ack.header.place;
            state.volumes.tombstone(place, ack.header.record_bytes());
            for older in covered {
                state.volumes.cover(place.volume, *older);
            }
            Ok(())
        }
        Change::Delete { place, shards, generation } => {
            state.volumes.tombstone(*place, ack.header.record_bytes());
            for (shard, earlier) in shards {
                let current = shared.current(state, *shard, *earlier, *generation);
                state.delete(*place, *shard, current);
            }
            state.overtake(*place, &shards.iter().map(|(shard, _)| *shard).collect());
            Ok(())
        }
    }
}
