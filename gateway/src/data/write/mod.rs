//! Writing a body: split into extents, encode, spread, and leave it durable for the commit.

mod digest_stage;
mod discard;
mod extent;
mod settle;
mod stripes;

use bytes::Bytes;
use cairn_core::codec::CodecError;
use cairn_core::descriptor::Descriptor;
use cairn_core::id::{ExtentId, SessionId};
use cairn_core::limits::EXTENT_BYTES_MAX;
use cairn_core::placement::PlacementError;
use cairn_protocol::metadata::{ExtentRun, PlacedExtent, PlacedRun};
use cairn_protocol::storage::StorageError;

use super::{BodyDigest, BodySource, BudgetExhausted, DataPath, NoSession};
use digest_stage::DigestStage;
use discard::UncommittedRun;
use stripes::StripeReader;

/// Why a body could not be written. In every case nothing was committed and what had been stored is discarded.
#[derive(Debug, thiserror::Error)]
pub enum WriteError<E> {
    /// The body itself ended badly.
    #[error("the body could not be read")]
    Body(E),
    /// The body ended before the announced length.
    #[error("the body ended after {received} of {expected} bytes")]
    Short {
        /// Bytes received.
        received: u64,
        /// Bytes announced.
        expected: u64,
    },
    /// The body goes on past the announced length.
    #[error("the body is longer than the announced {expected} bytes")]
    Long {
        /// Bytes announced.
        expected: u64,
    },
    /// The gateway has no session yet.
    #[error(transparent)]
    NoSession(#[from] NoSession),
    /// No cluster map has been seen yet.
    #[error("the gateway has not seen a cluster map yet")]
    NoClusterMap,
    /// Too much is under way.
    #[error(transparent)]
    Budget(#[from] BudgetExhausted),
    /// The eligible disks cannot hold the shards under any profile.
    #[error("no place for an extent: {0}")]
    Placement(#[from] PlacementError),
    /// Too many shards failed.
    #[error("extent {extent}: the write quorum of {quorum} shards was not reached: {detail}")]
    Quorum {
        /// The extent.
        extent: ExtentId,
        /// Shards that had to be durable.
        quorum: u8,
        /// What happened at the disks that failed.
        detail: String,
    },
    /// The coder refused.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The thread that computes digests died.
    #[error("the digest thread ended unexpectedly")]
    DigestThread,
}

/// A body that is durable on a write quorum of each extent and waits for its commit.
pub struct WrittenBody<D> {
    /// The session under which it was written: goes into the commit.
    pub session: SessionId,
    /// The digests over the whole body.
    pub digest: D,
    run: Option<UncommittedRun>,
}

impl<D> WrittenBody<D> {
    /// Hands the body over for its commit. From here on its shards are kept, because the commit may succeed without
    /// the gateway learning of it; only a definite *no* allows [`DataPath::discard`].
    pub fn into_placed(self) -> Option<PlacedRun> {
        self.run.map(UncommittedRun::into_placed)
    }
}

/// Writes bodies of known length.
pub struct BodyWriter<'a> {
    path: &'a DataPath,
}

impl DataPath {
    /// A writer on this data path.
    pub fn writer(&self) -> BodyWriter<'_> {
        BodyWriter { path: self }
    }
}

/// Memory that one streamed body may hold: the stripe that is being filled, a batch that is being encoded, what the
/// shard writers have taken over, and what waits for its digest.
const STREAM_BYTES: u64 = 6 << 20;

impl BodyWriter<'_> {
    /// Reads exactly `size` bytes from `source`, stores them, and computes `digest` over them.
    pub async fn write<S: BodySource, D: BodyDigest>(
        &self,
        source: &mut S,
        size: u64,
        digest: D,
        descriptor: Descriptor,
    ) -> Result<WrittenBody<D>, WriteError<S::Error>> {
        let session = self.path.session.id()?;
        let _share = self.path.budget.take((size * 3).min(STREAM_BYTES)).await?;
        let mut stripes = StripeReader::new(source, size);
        let mut digest = DigestStage::new(digest, size);
        let run =
            if size == 0 { None } else { Some(self.write_run(&mut stripes, size, &mut digest, descriptor).await?) };
        stripes.expect_end().await?;
        let digest = digest.finish().await.ok_or(WriteError::DigestThread)?;
        Ok(WrittenBody { session: run.as_ref().map_or(session, UncommittedRun::session), digest, run })
    }

    async fn write_run<S: BodySource, D: BodyDigest>(
        &self,
        stripes: &mut StripeReader<'_, S>,
        size: u64,
        digest: &mut DigestStage<D>,
        mut descriptor: Descriptor,
    ) -> Result<UncommittedRun, WriteError<S::Error>> {
        let count = size.div_ceil(EXTENT_BYTES_MAX);
        let run = ExtentRun { first: self.path.session.reserve(count)?, size, extent_bytes: EXTENT_BYTES_MAX };
        let mut written = UncommittedRun::new(self.path.clone(), run);
        for n in 0..count {
            let offset = n * EXTENT_BYTES_MAX;
            descriptor.offset = offset;
            let length = (size - offset).min(EXTENT_BYTES_MAX);
            let id = run.first.offset(n);
            let mut extent = extent::ExtentWriter::place(self.path, id, length, size, &descriptor).await?;
            // Known before the first byte is sent, so that a request that is dropped half-way is cleaned up too.
            written.attempt(extent.placed());
            let placed = extent.write(stripes, digest).await?;
            written.settle(placed);
        }
        Ok(written)
    }
}

/// An error of one shard, for the sentence in [`WriteError::Quorum`].
fn describe(errors: &[(usize, StorageError)]) -> String {
    let errors: Vec<String> = errors.iter().map(|(index, e)| format!("shard {index}: {e}")).collect();
    errors.join("; ")
}

/// Encoded descriptor and extents, as they go to the disks.
type EncodedDescriptor = Bytes;

/// What one extent's placement looks like before any shard is known to be durable.
fn placed_everywhere(
    profile: &cairn_core::profile::Profile,
    geometry: cairn_core::geometry::Geometry,
    disks: &[super::DiskClient],
) -> PlacedExtent {
    PlacedExtent { profile: profile.id, geometry, locations: disks.iter().map(|d| Some(d.number)).collect() }
}
