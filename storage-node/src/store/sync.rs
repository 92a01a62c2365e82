//! The sync thread: one fdatasync acknowledges everything that was written since the last (group commit). While it
//! runs, the log thread gathers and writes the next group; an idle disk adds no delay.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use super::entry::Entry;
use super::options::CHECKPOINT_CHANGES_MAX;
use super::shared::{ActiveVolume, Reply, Shared};
use super::state::State;
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
    Delete { shards: Vec<(ShardId, Option<Entry>)>, generation: u64 },
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
            let current = |state: &State, shard, earlier, generation| shared.current(state, shard, earlier, generation);
            let result = match apply(&mut state, &ack.header, &ack.change, current) {
                Applied::Done => Ok(()),
                Applied::Overtaken => {
                    let detail = "the shard was deleted while it was being written";
                    Err(shared.error(StorageErrorKind::Refused, detail))
                }
            };
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

/// What became of a record that is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    /// It counts, or something later does.
    Done,
    /// The shard was deleted while it was being written.
    Overtaken,
}

/// The record is on stable storage: brings the index up to date. `current` finds where a shard lies right now, given
/// where it was known to lie earlier.
pub(super) fn apply(
    state: &mut State,
    header: &RecordHeader,
    change: &Change,
    current: impl Fn(&State, ShardId, Option<Entry>, u64) -> Option<Entry>,
) -> Applied {
    let (place, bytes) = (header.place, header.record_bytes());
    let overtaken = state.settle(place).overtaken;
    match change {
        Change::Put { .. } | Change::Move { .. } if overtaken => {
            state.bury(place, bytes);
            return if matches!(change, Change::Put { .. }) { Applied::Overtaken } else { Applied::Done };
        }
        Change::Put { shard, entry, earlier, generation } => {
            let current = current(state, *shard, *earlier, *generation);
            state.put(*shard, *entry, current);
        }
        Change::Move { shard, entry, from, earlier, generation } => {
            let current = current(state, *shard, *earlier, *generation);
            if !state.move_record(*shard, *entry, *from, current) && current.is_none_or(|c| c.place < place) {
                tracing::error!(%shard, %from, to = %place, "a shard changed unseen while it was being moved");
            }
        }
        Change::Carry { covered } => {
            state.volumes.tombstone(place, bytes);
            for older in covered {
                state.volumes.cover(place.volume, *older);
            }
        }
        Change::Delete { shards, generation } => {
            state.volumes.tombstone(place, bytes);
            for (shard, earlier) in shards {
                let current = current(state, *shard, *earlier, *generation);
                state.delete(place, *shard, current);
            }
            state.overtake(place, &shards.iter().map(|(shard, _)| *shard).collect());
        }
    }
    Applied::Done
}
