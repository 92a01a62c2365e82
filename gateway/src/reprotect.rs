//! Re-encoding: bodies that are not coded as new ones would be are read, written anew, and swapped in.
//!
//! The metadata service hands the work to one gateway at a time, which walks over all bodies. A body that was overwritten or
//! deleted meanwhile is left as it is: the swap is a compare-and-swap. Whatever was written in vain is discarded like the
//! body of any write that was given up.

use std::time::Duration;

use cairn_core::descriptor::Descriptor;
use cairn_core::id::CommitSequence;
use cairn_core::repair::Pace;
use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd, ReplaceBody};
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{BodyPosition, FindMisfits, Misfit};
use cairn_protocol::metadata::{MetadataError, MetadataExt, Rejection};

use crate::data::{BodyDigest, DataPath, ReadError, WriteError};
use crate::error::S3Error;
use crate::service::body_stream::CopySource;

/// Time between two looks for work.
const POLL: Duration = Duration::from_secs(1);
/// Time between two looks whether the rate allows the next body.
const PACE_POLL: Duration = Duration::from_millis(20);
/// Bodies that are asked for at a time.
const PAGE_BODIES: u32 = 32;
/// Bytes per second where the operator names no rate.
const BYTES_PER_S_DEFAULT: u64 = 64 << 20;
/// Walks in a row that re-encode nothing although there is something to re-encode: then it has ended.
const IDLE_WALKS_MAX: u32 = 3;

/// Why a body is coded as before.
#[derive(Debug, thiserror::Error)]
enum RecodeError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError<S3Error>),
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    #[error("too few disks can be reached for the profile that it should have")]
    OtherProfile,
}

/// A walk over all bodies.
struct Walk {
    rebalance: CommitSequence,
    at: Option<BodyPosition>,
    /// Bodies that could not be re-encoded in this walk, and those that were.
    failed: u64,
    done: u64,
    idle_walks: u32,
    pace: Pace,
}

/// Sees to it whenever the metadata service has such work for this gateway; never returns.
pub(crate) async fn run(data: DataPath) {
    let mut walk = None;
    loop {
        match step(&data, &mut walk).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(POLL).await,
            Err(error) => {
                tracing::debug!(%error, "could not ask for bodies to re-encode");
                tokio::time::sleep(POLL).await;
            }
        }
    }
}

/// Re-encodes one page of bodies; returns whether to go on at once.
async fn step(data: &DataPath, current: &mut Option<Walk>) -> Result<bool, MetadataError> {
    let Ok(session) = data.session.id() else { return Ok(false) };
    let from = current.as_ref().and_then(|walk| walk.at.clone());
    let page = data.metadata.ask(FindMisfits { session, from, limit: PAGE_BODIES }).await?;
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
        // The page belongs to the walk before: begin anew.
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
        match recode(data, rebalance, body).await {
            Ok(()) => walk.done += 1,
            // Overwritten, deleted, or stopped.
            Err(RecodeError::Metadata(MetadataError::Rejected(Rejection::Stale(_)))) => {}
            Err(error) => {
                walk.failed += 1;
                tracing::warn!(bucket = %body.bucket, key = %body.key, %error, "a body was not re-encoded; it is tried again");
            }
        }
    }
    walk.at = page.next;
    if walk.at.is_some() {
        return Ok(true);
    }
    if let Some(end) = walk.conclude() {
        tracing::info!(?end, "re-encoding has ended");
        data.metadata.run(EndRebalance { rebalance: Some(rebalance), end }).await?;
    }
    Ok(false)
}

impl Walk {
    fn new(rebalance: CommitSequence, rate: u64, now: Duration) -> Self {
        let pace = Pace::new(rate, rate, now);
        Self { rebalance, at: None, failed: 0, done: 0, idle_walks: 0, pace }
    }

    /// What comes of a walk that has reached its end; the next one begins where there is nothing to say yet.
    fn conclude(&mut self) -> Option<RebalanceEnd> {
        let (failed, done) = (std::mem::take(&mut self.failed), std::mem::take(&mut self.done));
        if failed == 0 && done == 0 {
            return Some(RebalanceEnd::Reprotected);
        }
        self.idle_walks = if done == 0 { self.idle_walks + 1 } else { 0 };
        (self.idle_walks >= IDLE_WALKS_MAX).then(|| {
            RebalanceEnd::Stuck(format!(
                "{failed} bodies could not be re-encoded: the gateway's log says which and why"
            ))
        })
    }
}

/// Reads a body, writes it anew, and puts it in the place of the old one.
async fn recode(data: &DataPath, rebalance: CommitSequence, body: &Misfit) -> Result<(), RecodeError> {
    let size = body.run.size;
    let reader = data.read(Content::Run(body.run), 0..size, Vec::new()).await?;
    let descriptor = Descriptor {
        bucket: body.bucket.clone(),
        key: body.key.clone(),
        part: body.part,
        offset: 0,
        total_bytes: size,
        // Coding it anew makes no version newer than another.
        written_at_ms: body.last_modified_ms,
        headers: body.headers.clone(),
        storage_class: body.storage_class,
    };
    let mut source = CopySource::new(Some(reader));
    let written = data.writer().write(&mut source, size, Undigested, descriptor).await?;
    let session = written.session;
    let Some(placed) = written.into_placed() else { return Ok(()) };
    if placed.extents.iter().any(|extent| extent.profile != body.wanted) {
        data.discard(&placed);
        return Err(RecodeError::OtherProfile);
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
    let swapped = data.metadata.run(command).await;
    if let Err(error) = &swapped {
        if let MetadataError::Rejected(Rejection::SessionEnded(_)) = error {
            data.session.ended(session);
        }
        // After an unknown outcome the shards are kept, because the swap may stand.
        if error.is_definite_no() {
            data.discard(&placed);
        }
    }
    swapped.map_err(Into::into)
}

/// The object keeps the digests that it has.
struct Undigested;

impl BodyDigest for Undigested {
    fn update(&mut self, _bytes: &[u8]) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What each of several walks leads to, as (done, failed) are given.
    fn check(walks: &[(u64, u64)], expected: &[bool]) {
        let mut walk = Walk::new(CommitSequence(1), 1, Duration::ZERO);
        let ends = walks.iter().map(|(done, failed)| {
            (walk.done, walk.failed) = (*done, *failed);
            walk.conclude().is_some()
        });
        assert_eq!(ends.collect::<Vec<_>>(), expected, "{walks:?}");
    }

    #[test]
    fn it_ends_when_nothing_is_left_or_nothing_gets_done() {
        check(&[(0, 0)], &[true]);
        check(&[(5, 0), (0, 0)], &[false, true]);
        check(&[(0, 2), (0, 2), (1, 1), (0, 1), (0, 1), (0, 1)], &[false, false, false, false, false, true]);
    }
}
