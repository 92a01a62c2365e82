//! UploadPart.

use axum::body::Body;
use cairn_core::descriptor::PartOf;
use cairn_core::id::PartNumber;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::CommitPart;
use cairn_protocol::metadata::query::{GetUpload, UploadInfo};
use http::Response;

use crate::body::ChecksumAlgorithm;
use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call};
use crate::service::ingest::{Ingested, Purpose, ingest};
use crate::service::object_headers::{describe_checksum, to_stored};
use crate::service::respond;

pub(crate) async fn handle(mut call: Call) -> Answer {
    let part = PartOf { upload: call.upload_id()?, number: part_number(&call)? };
    let (bucket, key) = (call.bucket()?, call.key()?);
    let upload = find_upload(&call).await?;
    let announced = upload.checksum_algorithm.as_deref().and_then(ChecksumAlgorithm::parse);
    check_algorithm(&call, announced)?;
    let purpose = Purpose::of_part(&bucket, &key, part, &upload);
    let body = ingest(&mut call, purpose, announced).await?;
    let (etag, checksum) = (body.etag, body.checksum.clone());
    commit_part(&call, part, body).await?;
    let response = Response::builder().header("etag", format!("\"{etag}\""));
    respond::finish(
        match checksum {
            Some(checksum) => response.header(checksum.algorithm.header_name(), &checksum.base64),
            None => describe_checksum(response, None),
        },
        Body::empty(),
    )
}

/// Commits a part; returns its time of modification.
pub(super) async fn commit_part(call: &Call, part: PartOf, body: Ingested) -> Result<u64, S3Error> {
    let command = CommitPart {
        session: body.session,
        bucket: call.bucket()?,
        key: call.key()?,
        upload: part.upload,
        number: part.number,
        body: body.placed.clone(),
        etag: body.etag,
        checksum: body.checksum.as_ref().map(to_stored),
    };
    Ok(call.gateway.data().commit(command, body.session, body.placed).await?.last_modified_ms)
}

/// Looks before a large body is taken in whether the upload exists.
pub(super) async fn find_upload(call: &Call) -> Result<UploadInfo, S3Error> {
    let query = GetUpload { bucket: call.bucket()?, key: call.key()?, upload: call.upload_id()? };
    Ok(call.gateway.metadata().ask(query).await?)
}

/// The `partNumber` of the request.
pub(super) fn part_number(call: &Call) -> Result<PartNumber, S3Error> {
    let text = call.query.get("partNumber").unwrap_or_default();
    text.parse().ok().and_then(|n| PartNumber::new(n).ok()).ok_or_else(|| {
        S3Error::invalid_argument("partNumber", text, "Part number must be an integer between 1 and 10000, inclusive")
    })
}

/// A part's checksum has the algorithm that the upload announced.
fn check_algorithm(call: &Call, announced: Option<ChecksumAlgorithm>) -> Result<(), S3Error> {
    match (call.expected_digests()?.algorithm(), announced) {
        (Some(sent), Some(announced)) if sent != announced => Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            format!(
                "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                announced.as_str().to_lowercase(),
                sent.as_str().to_lowercase()
            ),
        )),
        _ => Ok(()),
    }
}
