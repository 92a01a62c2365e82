//! Receives snapshots from the leader.

use std::sync::Arc;

use openraft::Snapshot;
use tokio::sync::Mutex;

use super::member::RunningMember;
use crate::error::StoreError;
use crate::raft::attempts::{Senders, Standing};
use crate::raft::codec::VoteRow;
use crate::raft::fitness::{STATE_FORMAT, other_format};
use crate::raft::message::{ChunkTaken, SnapshotChunk, Stopped};
use crate::raft::snapshot::{Incoming, SnapshotData};
use crate::raft::{LogId, SnapshotMeta, Vote};

/// The transfer under way. Chunks are taken one at a time, whoever sends them.
#[derive(Default)]
pub(super) struct SnapshotTransfers(Arc<Mutex<Transfer>>);

#[derive(Default)]
struct Transfer {
    senders: Senders,
    /// What the newest sender has sent of a snapshot, with the id of that.
    current: Option<(String, Incoming)>,
}

impl SnapshotTransfers {
    /// Takes a chunk, and installs the snapshot with the last one. A chunk that was taken before is taken for granted: its
    /// answer was lost. One of a sender that was replaced, or out of order, is refused, and does nothing to the transfer.
    pub(super) async fn take(&self, member: &Arc<RunningMember>, chunk: SnapshotChunk) -> Result<ChunkTaken, Stopped> {
        member.admission.check()?;
        member.check_not_waiting()?;
        // Held until the chunk is loaded, and the last one until it is installed: a transfer that starts over meanwhile
        // waits, and neither sees the other's file.
        let mut transfer = Arc::clone(&self.0).lock_owned().await;
        let known = member.raft.with_raft_state(|state| *state.vote_ref()).await.map_err(Stopped::because)?;
        if known > chunk.vote.into() {
            return Ok(ChunkTaken { vote: known.into() });
        }
        if let Some(found) = chunk.format.filter(|format| *format != STATE_FORMAT) {
            return Err(Stopped::because(other_format("the leader's snapshot", found)));
        }
        let standing = transfer.senders.standing(&chunk.sender());
        if standing == Standing::Replaced {
            return Err(Stopped::replaced());
        }
        member.hear_leader();
        if transfer.has_taken(member, &chunk, standing) {
            return Ok(ChunkTaken { vote: chunk.vote });
        }
        let incoming = transfer.begin_or_continue(member, &chunk, standing)?;
        let (meta, vote, is_last) = (chunk.meta(), chunk.vote, chunk.last);
        let incoming = load(incoming, chunk).await?;
        if !is_last {
            transfer.current = Some((meta.snapshot_id, incoming));
            return Ok(ChunkTaken { vote });
        }
        // In a task of its own, which ends even if the sender goes away: Raft may be at it still, and the next one has to wait.
        let member = Arc::clone(member);
        let installing = tokio::spawn(async move {
            let installed = install(&member, incoming, meta, vote.into()).await;
            drop(transfer);
            installed
        });
        installing.await.map_err(Stopped::because)?
    }
}

async fn install(
    member: &RunningMember,
    incoming: Incoming,
    meta: SnapshotMeta,
    vote: Vote,
) -> Result<ChunkTaken, Stopped> {
    let finish = tokio::task::spawn_blocking(move || incoming.finish());
    let state = finish.await.map_err(Stopped::because)?.map_err(Stopped::because)?;
    let snapshot = Snapshot { meta, snapshot: Box::new(SnapshotData::Loaded(state)) };
    let installed = member.raft.install_full_snapshot(vote, snapshot).await.map_err(Stopped::because)?;
    // Raft does not install what it has applied.
    let machine = Arc::clone(&member.machine);
    let forgotten = tokio::task::spawn_blocking(move || machine.forget_received());
    forgotten.await.map_err(Stopped::because)?.map_err(Stopped::because)?;
    Ok(ChunkTaken { vote: VoteRow::from(installed.vote) })
}

impl Transfer {
    fn has_taken(&self, member: &RunningMember, chunk: &SnapshotChunk, standing: Standing) -> bool {
        // Without its attempt, a first chunk may be that of another one.
        let may_be_repeated = chunk.number > 0 || (standing == Standing::Same && chunk.attempt.is_some());
        match &self.current {
            Some((id, incoming)) if standing == Standing::Same && *id == chunk.id => {
                may_be_repeated && chunk.number < incoming.next()
            }
            // The last chunk of a snapshot that is installed by now.
            _ => {
                let reach: Option<LogId> = chunk.applied.map(Into::into);
                may_be_repeated && chunk.last && reach.is_some() && member.machine.applied() >= reach
            }
        }
    }

    /// What waits for this chunk. A first chunk begins a transfer.
    fn begin_or_continue(
        &mut self,
        member: &RunningMember,
        chunk: &SnapshotChunk,
        standing: Standing,
    ) -> Result<Incoming, Stopped> {
        if chunk.number == 0 {
            self.senders.follow(chunk.sender());
            // Its file makes room for the new one.
            self.current = None;
            let machine = &member.machine;
            return Incoming::begin(machine.incoming_file(), machine.cache_bytes(), machine.space())
                .map_err(Stopped::because);
        }
        let is_next = |(id, incoming): &mut (String, Incoming)| {
            standing == Standing::Same && *id == chunk.id && incoming.next() == chunk.number
        };
        let out_of_order = || format!("chunk {} of snapshot {} is out of order", chunk.number, chunk.id);
        let (_, incoming) = self.current.take_if(is_next).ok_or_else(|| Stopped::because(out_of_order()))?;
        Ok(incoming)
    }
}

async fn load(mut incoming: Incoming, chunk: SnapshotChunk) -> Result<Incoming, Stopped> {
    let loading = tokio::task::spawn_blocking(move || {
        incoming.take(&chunk.records, chunk.last, chunk.hash)?;
        Ok::<_, StoreError>(incoming)
    });
    loading.await.map_err(Stopped::because)?.map_err(Stopped::because)
}
