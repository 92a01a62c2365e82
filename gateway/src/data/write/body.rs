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
use crate::data::budget::MemoryShare;
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

impl BodyWriter<'_> {
    /// Reads exactly `size` bytes from `source`, stores them, and computes `digest` over them.
    pub async fn write<S: BodySource, D: BodyDigest>(
        &self,
        source: &mut S,
        size: u64,
        digest: D,
        mut descriptor: Descriptor,
    ) -> Result<WrittenBody<D>, WriteError<S::Error>> {
        let session = self.path.session.id()?;
        if size == 0 {
            StripeReader::new(source, size).expect_end().await?;
            return Ok(WrittenBody { session, digest, run: None });
        }
        let first = self.path.session.reserve(size.div_ceil(EXTENT_BYTES_MAX))?;
        let run = ExtentRun { first, size, extent_bytes: EXTENT_BYTES_MAX };
        // The profile decides how much memory the body takes.
        let extent = self.place(&run, 0, &mut descriptor).await?;
        let held = source.held_bytes();
        let mut memory = Memory { held, share: self.path.budget.take(extent.footprint(size) + held).await? };
        let mut stripes = StripeReader::new(source, size);
        let mut digest = DigestStage::new(digest, size);
        let run = self.write_run(&mut stripes, run, extent, &mut digest, &mut descriptor, &mut memory).await?;
        stripes.expect_end().await?;
        let digest = digest.finish().await.ok_or(WriteError::DigestThread)?;
        Ok(WrittenBody { session: run.session(), digest, run: Some(run) })
    }

    /// Chooses profile and disks for extent `n` of the run.
    async fn place<E>(
        &self,
        run: &ExtentRun,
        n: u64,
        descriptor: &mut Descriptor,
    ) -> Result<ExtentWriter<'_>, WriteError<E>> {
        let offset = n * run.extent_bytes;
        descriptor.offset = offset;
        let length = (run.size - offset).min(run.extent_bytes);
        ExtentWriter::place(self.path, run.first.offset(n), length, run.size, descriptor).await
    }

    async fn write_run<S: BodySource, D: BodyDigest>(
        &self,
        stripes: &mut StripeReader<'_, S>,
        run: ExtentRun,
        first: ExtentWriter<'_>,
        digest: &mut DigestStage<D>,
        descriptor: &mut Descriptor,
        memory: &mut Memory,
    ) -> Result<UncommittedRun, WriteError<S::Error>> {
        let mut written = UncommittedRun::new(self.path.clone(), run);
        let mut placed = Some(first);
        for n in 0..run.size.div_ceil(run.extent_bytes) {
            let mut extent = match placed.take() {
                Some(first) => first,
                None => self.place(&run, n, descriptor).await?,
            };
            // The disks may have changed since the first extent, and with them the profile.
            self.path.budget.grow(&mut memory.share, extent.footprint(run.size) + memory.held)?;
            // Recorded before the first byte is sent, so that a request that is dropped half-way is cleaned up too.
            written.attempt(extent.placed());
            let durable = extent.write(stripes, digest).await?;
            written.became_durable(durable);
        }
        Ok(written)
    }
}

/// The memory of one write.
struct Memory {
    /// Bytes of it that the body's source holds.
    held: u64,
    share: MemoryShare,
}
