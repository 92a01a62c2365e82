//! The sync thread: one fdatasync acknowledges everything that was written since the last (group commit). Meanwhile the
//! log thread gathers and writes the next group; an idle disk adds no delay.

use std::collections::BTreeMap;
use std::sync::Arc;

use cairn_core::shard::ShardId;
use cairn_protocol::storage::{StorageError, StorageErrorKind};

use crate::format::RecordHeader;
use crate::store::index::{Entry, Located, State};
use crate::store::options::CHECKPOINT_CHANGES_MAX;
use crate::store::requests::{Ack, Change, Reply};
use crate::store::shared::Shared;

/// Runs until the queue is closed and empty.
pub(crate) fn run(shared: &Arc<Shared>) {
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

fn sync_volume(shared: &Shared, acks: Vec<Ack>) {
    let Some(volume) = acks.first().map(|ack| Arc::clone(&ack.volume)) else { return };
    let written_before = shared.index.state().written_before(volume.number);
    let synced = volume.sync();
    if let Err(error) = synced {
        for ack in acks {
            shared.index.state().abandon(ack.header.place);
            let _ = ack.reply.send(Err(error.clone()));
        }
        return;
    }
    let mut replies: Vec<(Reply<()>, Result<(), StorageError>)> = Vec::with_capacity(acks.len());
    let upkeep = {
        let mut state = shared.index.state();
        state.synced(volume.number, written_before);
        for ack in acks {
            let current = |state: &State, shard, earlier| shared.index.current(state, shard, earlier);
            let result = match apply(&mut state, &ack.header, &ack.change, current) {
                Applied::Done => Ok(()),
                Applied::Overtaken => {
                    let detail = "the shard was deleted while it was being written";
                    Err(shared.disk.error(StorageErrorKind::Refused, detail))
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
        shared.index.wake_upkeep();
    }
}

/// What became of a record that is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Applied {
    /// It counts, or something later does.
    Done,
    /// The shard was deleted while it was being written.
    Overtaken,
}

/// Brings the index up to date with a record that is on stable storage. `current` finds where a shard is right now,
/// given where it was located earlier.
pub(crate) fn apply(
    state: &mut State,
    header: &RecordHeader,
    change: &Change,
    current: impl Fn(&State, ShardId, Located) -> Option<Entry>,
) -> Applied {
    let (place, bytes) = (header.place, header.record_bytes());
    let overtaken = state.settle(place).overtaken;
    match change {
        Change::Put { .. } | Change::Move { .. } if overtaken => {
            state.free(place, bytes);
            return if matches!(change, Change::Put { .. }) { Applied::Overtaken } else { Applied::Done };
        }
        Change::Put { shard, entry, earlier } => {
            let current = current(state, *shard, *earlier);
            state.put(*shard, *entry, current);
        }
        Change::Move { shard, entry, from, earlier } => {
            let current = current(state, *shard, *earlier);
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
        Change::Delete { shards } => {
            state.volumes.tombstone(place, bytes);
            for (shard, earlier) in shards {
                let current = current(state, *shard, *earlier);
                state.delete(place, *shard, current);
            }
            state.overtake(place, &shards.iter().map(|(shard, _)| *shard).collect());
        }
    }
    Applied::Done
}
