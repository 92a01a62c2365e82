//! Takes in the body of a request: removes its framing, checks its digests, and makes its shards durable.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use cairn_core::descriptor::{Descriptor, Header, PartOf};
use cairn_core::etag::ETag;
use cairn_core::id::SessionId;
use cairn_core::limits::SINGLE_PUT_BYTES_MAX;
use cairn_core::storage_class::StorageClass;
use cairn_protocol::metadata::PlacedRun;
use cairn_protocol::metadata::query::UploadInfo;

use super::incoming::Incoming;
use super::name::ObjectName;
use super::object_headers::ObjectProperties;
use crate::body::{BodyDigests, BodyHasher, Checksum, ChecksumAlgorithm, ChecksumSet, Payload};
use crate::context::Context;
use crate::data::{BodySource, CopySource, WriteError, WrittenBody};
use crate::error::{S3Error, S3ErrorCode};

/// How long a client may send nothing in the middle of a body.
const IDLE_TIMEOUT: Duration = Duration::from_mins(1);

/// A body that is durable and waits for its commit.
pub(crate) struct Ingested {
    pub(crate) session: SessionId,
    pub(crate) placed: Option<PlacedRun>,
    pub(crate) etag: ETag,
    pub(crate) checksum: Option<Checksum>,
}

/// What a body belongs to. It goes into the descriptor of every shard.
pub(crate) struct Purpose<'a> {
    object: &'a ObjectName,
    part: Option<PartOf>,
    headers: &'a [Header],
    storage_class: StorageClass,
}

impl<'a> Purpose<'a> {
    pub(crate) fn of_object(object: &'a ObjectName, properties: &'a ObjectProperties) -> Self {
        let ObjectProperties { headers, storage_class } = properties;
        Self { object, part: None, headers, storage_class: *storage_class }
    }

    /// A part carries what its upload says of the new object.
    pub(crate) fn of_part(object: &'a ObjectName, part: PartOf, upload: &'a UploadInfo) -> Self {
        Self { object, part: Some(part), headers: &upload.headers, storage_class: upload.storage_class }
    }

    fn descriptor(&self, total_bytes: u64, written_at_ms: u64) -> Descriptor {
        Descriptor {
            bucket: self.object.bucket.clone(),
            key: self.object.key.clone(),
            part: self.part,
            offset: 0,
            total_bytes,
            written_at_ms,
            headers: self.headers.to_vec(),
            storage_class: self.storage_class,
        }
    }
}

/// Stores the body of a request. `also` is a checksum to compute even if the client sends none.
pub(crate) async fn ingest(
    context: &Context,
    request: &mut Incoming,
    purpose: Purpose<'_>,
    also: Option<ChecksumAlgorithm>,
) -> Result<Ingested, S3Error> {
    let expected = request.expected_digests()?;
    let (framing, body) = request.take_body()?;
    // HTTP's own chunked encoding announces no length, and placement needs one.
    let size = framing.object_length().ok_or(S3ErrorCode::MissingContentLength)?;
    check_size(size)?;
    let wanted = also.map_or(expected.wanted(), |algorithm| expected.wanted().with(algorithm));
    let mut source = RequestBody { payload: Payload::new(body, framing) };
    let written = write(context, &mut source, size, wanted, &purpose).await?;
    conclude(written, also, |digests| expected.verify(digests, &source.payload.trailers()))
}

/// Stores bytes of another object. `checksum` is one to compute over them.
pub(crate) async fn ingest_copy(
    context: &Context,
    source: &mut CopySource,
    size: u64,
    purpose: Purpose<'_>,
    checksum: Option<ChecksumAlgorithm>,
) -> Result<Ingested, S3Error> {
    check_size(size)?;
    let wanted = checksum.map_or(ChecksumSet::default(), |algorithm| ChecksumSet::default().with(algorithm));
    let written = write(context, source, size, wanted, &purpose).await?;
    conclude(written, checksum, |_| Ok(None))
}

fn check_size(size: u64) -> Result<(), S3Error> {
    if size > SINGLE_PUT_BYTES_MAX {
        return Err(S3Error::new(S3ErrorCode::EntityTooLarge)
            .with("ProposedSize", size.to_string())
            .with("MaxSizeAllowed", SINGLE_PUT_BYTES_MAX.to_string()));
    }
    Ok(())
}

async fn write<S: BodySource>(
    context: &Context,
    source: &mut S,
    size: u64,
    wanted: ChecksumSet,
    purpose: &Purpose<'_>,
) -> Result<WrittenBody<BodyHasher>, WriteError<S::Error>> {
    let descriptor = purpose.descriptor(size, context.clock().now_ms());
    context.data().writer().write(source, size, BodyHasher::new(wanted), descriptor).await
}

/// Checks the digests. If they are wrong, dropping the written body discards its shards.
fn conclude(
    written: WrittenBody<BodyHasher>,
    also: Option<ChecksumAlgorithm>,
    check: impl FnOnce(&BodyDigests) -> Result<Option<Checksum>, S3Error>,
) -> Result<Ingested, S3Error> {
    let digests = written.digest.clone().finish();
    let sent = check(&digests)?;
    let checksum = sent.or_else(|| also.and_then(|algorithm| digests.checksum(algorithm)));
    let (session, etag) = (written.session, ETag::single(digests.md5));
    Ok(Ingested { session, placed: written.into_placed(), etag, checksum })
}

/// The body of a request, with a limit on the client's silence.
struct RequestBody {
    payload: Payload<Body>,
}

impl BodySource for RequestBody {
    type Error = S3Error;

    async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        match tokio::time::timeout(IDLE_TIMEOUT, self.payload.next()).await {
            Ok(next) => next.transpose(),
            Err(_) => Err(S3ErrorCode::RequestTimeout.into()),
        }
    }
}
