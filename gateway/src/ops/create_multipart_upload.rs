//! CreateMultipartUpload.

use axum::body::Body;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::CreateUpload;
use http::Response;
use http::header::CONTENT_TYPE;

use crate::body::{ChecksumAlgorithm, ChecksumType};
use crate::error::{S3Error, S3ErrorCode};
use crate::service::call::{Answer, Call, upload_id_text};
use crate::service::object_headers::{requested_storage_class, stored_headers};
use crate::service::respond;
use crate::xml::InitiateMultipartUploadResult;

pub(crate) async fn handle(call: Call) -> Answer {
    let (bucket, key) = (call.bucket()?, call.key()?);
    let checksum = announced_checksum(&call)?;
    let command = CreateUpload {
        bucket: bucket.clone(),
        key: key.clone(),
        headers: stored_headers(&call.headers)?,
        checksum_algorithm: checksum.map(|(algorithm, _)| algorithm.as_str().to_owned()),
        checksum_composite: checksum.is_some_and(|(_, kind)| kind == ChecksumType::Composite),
        storage_class: requested_storage_class(&call.headers)?,
    };
    let upload = upload_id_text(call.gateway.metadata().run(command).await?);
    let result = InitiateMultipartUploadResult { bucket: bucket.as_str(), key: key.as_str(), upload_id: &upload };
    let mut response = Response::builder().header(CONTENT_TYPE, respond::XML);
    if let Some((algorithm, kind)) = checksum {
        response = response
            .header("x-amz-checksum-algorithm", algorithm.as_str())
            .header("x-amz-checksum-type", kind.as_str());
    }
    respond::finish(response, Body::from(result.to_xml()))
}

/// The checksum that the object will have. Source: S3 user guide, "Checking object integrity": CRC64NVME is always of
/// the full object, SHA is always composite, and the other CRCs are composite unless the request says otherwise.
fn announced_checksum(call: &Call) -> Result<Option<(ChecksumAlgorithm, ChecksumType)>, S3Error> {
    let kind = call.header("x-amz-checksum-type").map(|text| {
        ChecksumType::parse(text).ok_or_else(|| {
            S3Error::invalid_argument("x-amz-checksum-type", text, "Value for x-amz-checksum-type header is invalid.")
        })
    });
    let kind = kind.transpose()?;
    let Some(name) = call.header("x-amz-checksum-algorithm") else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(S3Error::with_message(
                S3ErrorCode::InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let algorithm = ChecksumAlgorithm::parse(name).ok_or_else(|| {
        S3Error::with_message(S3ErrorCode::InvalidRequest, "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
    })?;
    let kind = kind.unwrap_or(algorithm.default_type());
    if algorithm.allows(kind) {
        return Ok(Some((algorithm, kind)));
    }
    let message = format!(
        "The {} checksum type cannot be used with the {} checksum algorithm.",
        kind.as_str(),
        algorithm.as_str().to_lowercase()
    );
    Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
}
