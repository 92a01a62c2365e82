//! Re-encoding: off-profile bodies are read, written again under the profile that a new object would get, and swapped
//! in.
//!
//! The metadata service hands the work to one gateway at a time, which walks over all bodies. A body that was
//! overwritten or deleted in the meantime is left alone: the swap is a compare-and-swap, and when it is refused the new
//! copy is discarded like the body of any aborted write.

use std::time::Duration;

use cairn_core::descriptor::Descriptor;
use cairn_core::id::CommitSequence;
use cairn_core::repair::Pace;
use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd, ReplaceBody};
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{BodyPosition, FindOffProfile, OffProfileBody};
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::data::{BodyDigest, DataPath, ReadError, WriteError};

/// Time between two requests for work.
const POLL: Duration = Duration::from_secs(1);
/// Time between two checks whether the rate allows the next body.
const PACE_POLL: Duration = Duration::from_millis(20);
/// Bodies in one page.
const PAGE_BODIES: u32 = 32;
/// The rate if the operator names none.
const BYTES_PER_S_DEFAULT: u64 = 64 << 20;
/// Walks in a row that re-encode nothing although off-profile bodies exist. After them re-encoding is stuck.
const IDLE_WALKS_MAX: u32 = 3;

/// Why a body was not re-encoded.
#[derive(Debug, thiserror::Error)]
enum ReencodeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError<ReadError>),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("too few disks can be reached for the profile that it should have")]
    OtherProfile,
}

/// A walk over all bodies.
struct Walk {
    rebalance: CommitSequence,
    at: Option<BodyPosition>,
    /// Bodies of this walk that could not be re-encoded.
    failed: u64,
    /// Bodies of this walk that were re-encoded.
    done: u64,
    idle_walks: u32,
    pace: Pace,
}

/// Re-encodes whenever the metadata service has such work for this gateway; never returns.
pub(crate) async fn run(data: DataPath) {
    let mut walk = None;
    loop {
        match step(&data, &mut walk).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(POLL).await,
            Err(error) => {
                tracing::debug!(%error, "could not ask for bodies to re-encode; retrying");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Re-encodes one page of bodies; returns whether to continue at once.
async fn step(data: &DataPath, current: &mut Option<Walk>) -> Result<bool, MetadataError> {
    let Ok(session) = data.session.id() else { return Ok(false) };
    let from = current.as_ref().and_then(|walk| walk.at.clone());
    let page = data.metadata.ask(FindOffProfile { session, from, limit: PAGE_BODIES }).await?;
    let Some(rebalance) = page.rebalance else {
        *current = None;
        return Ok(false);
    };
    if page.is_waiting {
        return Ok(false);
    }
    let rate = page.bytes_per_s_max.unwrap_or(BYTES_PER_S_DEFAULT);
    let now = data.clock.monotonic();
    if current.as_ref().is_some_and(|walk| walk.rebalance != rebalance) {
        // The page belongs to the previous walk. Start again from the first page.
        *current = None;
        return Ok(true);
    }
    let walk = current.get_or_insert_with(|| Walk::new(rebalance, rate, now));
    walk.pace.bound(rate, rate);
    for body in &page.bodies {
        while !walk.pace.allows(data.clock.monotonic()) {
            tokio::time::sleep(PACE_POLL).await;
        }
        walk.pace.charge(body.run.size);
        match reencode(data, rebalance, body).await {
            Ok(()) => walk.done += 1,
            // Overwritten, deleted, or stopped.
            Err(ReencodeError::Metadata(MetadataError::Rejected(Rejection::Stale(_)))) => {}
            Err(error) => {
                walk.failed += 1;
                tracing::warn!(bucket = %body.bucket, key = %body.key, %error, "could not re-encode a body; retrying in the next walk");
            }
        }
    }
    walk.at = page.next;
    if walk.at.is_some() {
        return Ok(true);
    }
    if let Some(end) = walk.conclude() {
        tracing::info!(?end, "re-encoding ended");
        data.metadata.run(EndRebalance { rebalance: Some(rebalance), end }).await?;
    }
    Ok(false)
}

impl Walk {
    fn new(rebalance: CommitSequence, rate: u64, now: Duration) -> Self {
        let pace = Pace::new(rate, rate, now);
        Self { rebalance, at: None, failed: 0, done: 0, idle_walks: 0, pace }
    }

    /// The end of re-encoding, if this walk was the last; `None` if another walk has to follow.
    fn conclude(&mut self) -> Option<RebalanceEnd> {
        let (failed, done) = (std::mem::take(&mut self.failed), std::mem::take(&mut self.done));
        if failed == 0 && done == 0 {
            return Some(RebalanceEnd::Reencoded);
        }
        self.idle_walks = if done == 0 { self.idle_walks + 1 } else { 0 };
        (self.idle_walks >= IDLE_WALKS_MAX).then(|| {
            RebalanceEnd::Stuck(format!(
                "{failed} bodies could not be re-encoded: the gateway's log says which and why"
            ))
        })
    }
}

/// Reads a body, writes it again, and swaps the new copy in.
async fn reencode(data: &DataPath, rebalance: CommitSequence, body: &OffProfileBody) -> Result<(), ReencodeError> {
    let size = body.run.size;
    let mut source = data.copy_source(Content::Run(body.run), 0..size, Vec::new()).await?;
    let descriptor = Descriptor {
        bucket: body.bucket.clone(),
        key: body.key.clone(),
        part: body.part,
        offset: 0,
        total_bytes: size,
        // Re-encoding makes no version newer than another.
        written_at_ms: body.last_modified_ms,
        headers: body.headers.clone(),
        storage_class: body.storage_class,
    };
    let written = data.writer().write(&mut source, size, Undigested, descriptor).await?;
    let session = written.session;
    let Some(placed) = written.into_placed() else { return Ok(()) };
    if placed.extents.iter().any(|extent| extent.profile != body.wanted) {
        data.discard(&placed);
        return Err(ReencodeError::OtherProfile);
    }
    let command = ReplaceBody {
        session,
        rebalance,
        bucket: body.bucket.clone(),
        key: body.key.clone(),
        sequence: body.sequence,
        part: body.part.map(|part| part.number),
        old: body.run,
        body: placed.clone(),
    };
    data.commit(command, session, Some(placed)).await?;
    Ok(())
}

/// The object keeps its digests, so none are computed.
struct Undigested;

impl BodyDigest for Undigested {
    fn update(&mut self, _bytes: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each walk is the last, given its (done, failed).
    fn check(walks: &[(u64, u64)], expected: &[bool]) {
        let mut walk = Walk::new(CommitSequence(1), 1, Duration::ZERO);
        let ends = walks.iter().map(|(done, failed)| {
            (walk.done, walk.failed) = (*done, *failed);
            walk.conclude().is_some()
        });
        assert_eq!(ends.collect::<Vec<_>>(), expected, "{walks:?}");
    }

    #[test]
    fn reencoding_ends_when_nothing_is_left_or_nothing_gets_done() {
        check(&[(0, 0)], &[true]);
        check(&[(5, 0), (0, 0)], &[false, true]);
        check(&[(0, 2), (0, 2), (1, 1), (0, 1), (0, 1), (0, 1)], &[false, false, false, false, false, true]);
    }
}
