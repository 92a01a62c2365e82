//! UploadPart.

use axum::body::Body;
use http::Response;
use http::header::ETAG;

use super::steps::commit_part::{commit_part, find_upload};
use crate::body::ChecksumAlgorithm;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::incoming::Incoming;
use crate::request::ingest::{Purpose, ingest};
use crate::request::upload_call::PartCall;
use crate::response::respond::{self, Answer};

pub(crate) async fn handle(mut call: PartCall) -> Answer {
    let upload = find_upload(&call).await?;
    let announced = upload.checksum_algorithm.as_deref().and_then(ChecksumAlgorithm::parse);
    check_algorithm(&call.request, announced)?;
    let purpose = Purpose::of_part(&call.object, call.part, &upload);
    let body = ingest(&call.context, &mut call.request, purpose, announced).await?;
    let (etag, checksum) = (body.etag, body.checksum.clone());
    commit_part(&call, body).await?;
    let mut response = Response::builder().header(ETAG, format!("\"{etag}\""));
    if let Some(checksum) = checksum {
        response = response.header(checksum.algorithm.header_name(), &checksum.base64);
    }
    respond::finish(response, Body::empty())
}

/// Refuses a part whose checksum has another algorithm than its upload announced.
fn check_algorithm(request: &Incoming, announced: Option<ChecksumAlgorithm>) -> Result<(), S3Error> {
    match (request.expected_digests()?.algorithm(), announced) {
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
