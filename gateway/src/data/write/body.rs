//! Writes whole bodies.

use cairn_core::descriptor::Descriptor;
use cairn_core::id::SessionId;
use cairn_core::limits::EXTENT_BYTES_MAX;
use cairn_protocol::metadata::{ExtentRun, PlacedRun};

use super::digest_stage::DigestStage;
use super::error::WriteError;
use super::extent::ExtentWriter;
use super::stripes::StripeReader;
use super::uncommitted::UncommittedRun;
use crate::data::path::DataPath;
use crate::data::source::{BodyDigest, BodySource};

/// A body that is durable on a write quorum of each extent and waits for its commit.
pub struct WrittenBody<D> {
    /// The session under which it was written. The commit names it.
    pub session: SessionId,
    /// Over the whole body.
    pub digest: D,
    run: Option<UncommittedRun>,
}

impl<D> WrittenBody<D> {
    /// Hands the body over for [`DataPath::commit`]; `None` if it is empty. From here on its shards are kept, because
    /// the commit may succeed without the gateway learning of it.
    pub fn into_placed(self) -> Option<PlacedRun> {
        self.run.map(UncommittedRun::into_placed)
    }
}

/// Writes bodies of known length.
pub struct BodyWriter<'a> {
    path: &'a DataPath,
}

impl DataPath {
    pub fn writer(&self) -> BodyWriter<'_> {
        BodyWriter { path: self }
    }
}

/// Memory that one streamed body may hold, in bytes: the stripe that is being filled, the batch that is being encoded,
/// what the shard writers hold, and what waits for its digest.
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
            let mut extent = ExtentWriter::place(self.path, id, length, size, &descriptor).await?;
            // Recorded before the first byte is sent, so that a request that is dropped half-way is cleaned up too.
            written.attempt(extent.placed());
            let placed = extent.write(stripes, digest).await?;
            written.became_durable(placed);
        }
        Ok(written)
    }
}
