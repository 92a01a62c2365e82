//! CreateMultipartUpload.

use axum::body::Body;
use cairn_protocol::metadata::command::CreateUpload;
use cairn_protocol::metadata::settings::BucketRecord;
use http::Response;
use http::header::CONTENT_TYPE;

use crate::body::{ChecksumAlgorithm, ChecksumType};
use crate::error::{S3Error, S3ErrorCode};
use crate::request::call::ObjectCall;
use crate::request::incoming::Incoming;
use crate::request::object_headers::ObjectProperties;
use crate::response::respond::{self, Answer};
use crate::xml::{InitiateMultipartUploadResult, ListedChecksum};

pub(crate) async fn handle(call: ObjectCall) -> Answer {
    let ids = call.context.ids()?;
    let checksum = announced_checksum(&call.request)?;
    let ObjectProperties { headers, storage_class } = ObjectProperties::of_request(&call.request.headers)?;
    let object = &call.object;
    let command = CreateUpload {
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        headers,
        checksum_algorithm: checksum.map(|checksum| checksum.algorithm.as_str().to_owned()),
        checksum_composite: checksum.is_some_and(|checksum| checksum.kind == ChecksumType::Composite),
        storage_class,
        revision: None,
    };
    let decide = |record: &BucketRecord| CreateUpload { revision: Some(record.revision), ..command.clone() };
    let upload = ids.upload(call.context.buckets().run(&object.bucket, decide).await?);
    let (bucket, key) = (object.bucket.as_str(), object.key.as_str());
    let result = InitiateMultipartUploadResult { bucket, key, upload_id: &upload };
    let mut response = Response::builder().header(CONTENT_TYPE, respond::XML);
    if let Some(ListedChecksum { algorithm, kind }) = checksum {
        response = response
            .header("x-amz-checksum-algorithm", algorithm.as_str())
            .header("x-amz-checksum-type", kind.as_str());
    }
    respond::finish(response, Body::from(result.to_xml()))
}

/// The checksum that the object will have. Source: S3 user guide, "Checking object integrity": CRC64NVME always covers
/// the full object, SHA is always composite, and the other CRCs are composite unless the request says otherwise.
fn announced_checksum(request: &Incoming) -> Result<Option<ListedChecksum>, S3Error> {
    let kind = request.header("x-amz-checksum-type").map(|text| {
        ChecksumType::parse(text).ok_or_else(|| {
            S3Error::invalid_argument("x-amz-checksum-type", text, "Value for x-amz-checksum-type header is invalid.")
        })
    });
    let kind = kind.transpose()?;
    let Some(name) = request.header("x-amz-checksum-algorithm") else {
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
        return Ok(Some(ListedChecksum { algorithm, kind }));
    }
    let message = format!(
        "The {} checksum type cannot be used with the {} checksum algorithm.",
        kind.as_str(),
        algorithm.as_str().to_lowercase()
    );
    Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
}
