//! ListParts.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListParts;

use super::owner;
use crate::body::{ChecksumAlgorithm, ChecksumType};
use crate::error::S3Error;
use crate::service::call::{Answer, Call, upload_id_text};
use crate::service::object_headers::from_stored;
use crate::service::respond;
use crate::xml::{ListPartsResult, ListedPart};

pub(crate) async fn handle(call: Call) -> Answer {
    let limit = call.query.page_limit("max-parts")?;
    let marker = part_number_marker(&call)?;
    let (bucket, key, upload) = (call.bucket()?, call.key()?, call.upload_id()?);
    let query = ListParts { bucket: bucket.clone(), key: key.clone(), upload, after: marker, limit };
    let page = call.gateway.metadata().ask(query).await?;
    let result = ListPartsResult {
        bucket: bucket.as_str(),
        key: key.as_str(),
        upload_id: &upload_id_text(upload),
        part_number_marker: marker,
        next_part_number_marker: page.parts.last().map(|p| p.number.get()),
        max_parts: limit,
        is_truncated: page.truncated && limit > 0,
        parts: page
            .parts
            .iter()
            .map(|p| ListedPart {
                number: p.number.get(),
                last_modified_ms: p.last_modified_ms,
                etag: p.etag,
                size: p.size,
                checksum: p.checksum.as_ref().and_then(from_stored),
            })
            .collect(),
        owner: owner(&call.gateway),
        storage_class: page.upload.storage_class.name(),
        checksum: announced(page.upload.checksum_algorithm.as_deref(), page.upload.checksum_composite),
    };
    respond::document(result.to_xml())
}

/// The checksum that an upload announced.
pub(super) fn announced(algorithm: Option<&str>, composite: bool) -> Option<(ChecksumAlgorithm, ChecksumType)> {
    let kind = if composite { ChecksumType::Composite } else { ChecksumType::FullObject };
    Some((ChecksumAlgorithm::parse(algorithm?)?, kind))
}

fn part_number_marker(call: &Call) -> Result<u32, S3Error> {
    let Some(text) = call.query.get("part-number-marker").filter(|t| !t.is_empty()) else { return Ok(0) };
    text.parse()
        .map_err(|_| S3Error::invalid_argument("part-number-marker", text, "part-number-marker must be a number"))
}
