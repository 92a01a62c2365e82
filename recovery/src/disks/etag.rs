//! The entity tag of a body. No descriptor holds it, so the whole body is read.

use cairn_core::etag::ETag;
use cairn_gateway::body::{BodyHasher, ChecksumSet};
use cairn_gateway::data::{BodyReader, DataPath, ReadError};
use cairn_protocol::metadata::content::Content;

use super::assembly::FoundBody;

/// The MD5 of a body. Every byte is verified on the way (I6).
pub(crate) async fn etag_of_body(path: &DataPath, body: &FoundBody) -> Result<ETag, ReadError> {
    let run = body.placed.run;
    etag_of_reader(path.read(Content::Run(run), 0..run.size, body.located()).await?).await
}

/// The MD5 of everything that the reader yields.
pub(crate) async fn etag_of_reader(mut reader: BodyReader) -> Result<ETag, ReadError> {
    let mut hasher = BodyHasher::new(ChecksumSet::default());
    while let Some(frames) = reader.next_batch().await? {
        for frame in &frames {
            hasher.update(frame);
        }
    }
    Ok(ETag::single(hasher.finish().md5))
}
