//! Waits for calls to many disks without letting the slowest one decide.

use std::future::Future;
use std::time::Duration;

use cairn_core::id::DiskId;
use cairn_core::quorum::{WriteDecision, WriteQuorum};
use cairn_protocol::storage::{StorageError, StorageErrorKind};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::time::timeout;

/// A call about one shard, not yet started.
pub(super) struct ShardCall<F> {
    pub(super) index: usize,
    pub(super) disk: DiskId,
    pub(super) call: F,
}

/// The results of one round: one call to each disk that still takes part in the write.
pub(super) struct Round<T> {
    pub(super) done: Vec<(usize, T)>,
    /// The calls that failed or took too long.
    pub(super) failed: Vec<(usize, StorageError)>,
}

/// The shortest wait for stragglers once the quorum is reached, or out of reach.
const LINGER_MIN: Duration = Duration::from_secs(1);
/// Stragglers get this many times as long as the decision took.
const LINGER_MULTIPLE: u32 = 3;
/// The longest that a round waits for a quorum before it gives up on the silent disks.
const STALL_MAX: Duration = Duration::from_mins(1);

/// Runs `calls` until all are done, or until the quorum is decided and the stragglers have had their time. `quorum`
/// knows which shards failed before this round.
pub(super) async fn run_round<T, F>(
    calls: Vec<ShardCall<F>>,
    mut quorum: WriteQuorum,
    clock: &dyn cairn_core::clock::Clock,
) -> Round<T>
where
    F: Future<Output = Result<T, StorageError>>,
{
    let started = clock.monotonic();
    let mut waiting: Vec<(usize, DiskId)> = calls.iter().map(|c| (c.index, c.disk)).collect();
    let mut calls: FuturesUnordered<_> = calls.into_iter().map(|c| async move { (c.index, c.call.await) }).collect();
    let mut ended = Round { done: Vec::with_capacity(calls.len()), failed: Vec::new() };
    let mut decision = quorum.decide();
    let mut limit = if decision == WriteDecision::Wait { STALL_MAX } else { LINGER_MIN };
    while let Ok(Some((index, result))) = timeout(limit, calls.next()).await {
        waiting.retain(|(i, _)| *i != index);
        let before = decision;
        decision = match result {
            Ok(value) => {
                ended.done.push((index, value));
                quorum.durable(index)
            }
            Err(error) => {
                ended.failed.push((index, error));
                quorum.failed(index)
            }
        };
        // The others get their time after a failed quorum too: replacements may still save it, and a disk must not
        // count as silent because two others failed fast.
        if matches!(decision, WriteDecision::Linger | WriteDecision::Fail) && before == WriteDecision::Wait {
            limit = LINGER_MIN.max(clock.monotonic().saturating_sub(started) * LINGER_MULTIPLE);
        }
    }
    for (index, disk) in waiting {
        let detail = "no answer: it took much longer than the others";
        ended.failed.push((index, StorageError::new(StorageErrorKind::Unreachable, disk, detail)));
    }
    ended
}
