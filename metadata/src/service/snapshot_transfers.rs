//! Receives snapshots from the leader.

use openraft::Snapshot;
use tokio::sync::Mutex;

use super::member::RunningMember;
use crate::error::StoreError;
use crate::raft::LogId;
use crate::raft::codec::VoteRow;
use crate::raft::fitness::{STATE_FORMAT, other_format};
use crate::raft::message::{ChunkTaken, SnapshotChunk, Stopped};
use crate::raft::snapshot::{Incoming, SnapshotData};

/// The transfer under way. Chunks are taken one at a time, whoever sends them.
#[derive(Default)]
pub(super) struct SnapshotTransfers {
    /// With the id of its snapshot.
    current: Mutex<Option<(String, Incoming)>>,
}

impl SnapshotTransfers {
    /// Takes a chunk, and installs the snapshot with the last one. A chunk that was taken before is taken for granted: its
    /// answer was lost. Any other chunk out of order ends the transfer; the leader starts it over.
    pub(super) async fn take(&self, member: &RunningMember, chunk: SnapshotChunk) -> Result<ChunkTaken, Stopped> {
        member.admission.check()?;
        member.check_not_waiting()?;
        // Held until the chunk is loaded, and the last one until it is installed: a transfer that starts over meanwhile
        // waits, and neither sees the other's file.
        let mut current = self.current.lock().await;
        let known = member.raft.with_raft_state(|state| *state.vote_ref()).await.map_err(Stopped::because)?;
        if known > chunk.vote.into() {
            return Ok(ChunkTaken { vote: known.into() });
        }
        if let Some(found) = chunk.format.filter(|format| *format != STATE_FORMAT) {
            return Err(Stopped::because(other_format("the leader's snapshot", found)));
        }
        member.hear_leader();
        if has_taken(member, current.as_ref(), &chunk) {
            return Ok(ChunkTaken { vote: chunk.vote });
        }
        let incoming = begin_or_continue(member, current.take(), &chunk)?;
        let (meta, vote, is_last) = (chunk.meta(), chunk.vote, chunk.last);
        let incoming = load(incoming, chunk).await?;
        if !is_last {
            *current = Some((meta.snapshot_id, incoming));
            return Ok(ChunkTaken { vote });
        }
        let finish = tokio::task::spawn_blocking(move || incoming.finish());
        let state = finish.await.map_err(Stopped::because)?.map_err(Stopped::because)?;
        let snapshot = Snapshot { meta, snapshot: Box::new(SnapshotData::Loaded(state)) };
        let installed = member.raft.install_full_snapshot(vote.into(), snapshot).await.map_err(Stopped::because)?;
        Ok(ChunkTaken { vote: VoteRow::from(installed.vote) })
    }
}

fn has_taken(member: &RunningMember, current: Option<&(String, Incoming)>, chunk: &SnapshotChunk) -> bool {
    match current {
        // The first chunk starts over, because it may be the first of another attempt.
        Some((id, incoming)) if *id == chunk.id => chunk.number > 0 && chunk.number < incoming.next(),
        // The last chunk of a snapshot that is installed by now.
        _ => {
            let reach: Option<LogId> = chunk.applied.map(Into::into);
            chunk.last && chunk.number > 0 && reach.is_some() && member.machine.applied() >= reach
        }
    }
}

/// The transfer that waits for this chunk.
fn begin_or_continue(
    member: &RunningMember,
    waiting: Option<(String, Incoming)>,
    chunk: &SnapshotChunk,
) -> Result<Incoming, Stopped> {
    if chunk.number == 0 {
        // Its file makes room for the new one.
        drop(waiting);
        let machine = &member.machine;
        return Incoming::begin(machine.incoming_file(), machine.cache_bytes(), machine.space())
            .map_err(Stopped::because);
    }
    match waiting {
        Some((id, incoming)) if id == chunk.id && incoming.next() == chunk.number => Ok(incoming),
        _ => Err(Stopped::because(format!("chunk {} of snapshot {} is out of order", chunk.number, chunk.id))),
    }
}

async fn load(mut incoming: Incoming, chunk: SnapshotChunk) -> Result<Incoming, Stopped> {
    let loading = tokio::task::spawn_blocking(move || {
        incoming.take(&chunk.records, chunk.last, chunk.hash)?;
        Ok::<_, StoreError>(incoming)
    });
    loading.await.map_err(Stopped::because)?.map_err(Stopped::because)
}
