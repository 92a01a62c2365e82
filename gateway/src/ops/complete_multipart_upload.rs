//! CompleteMultipartUpload.

use axum::body::Body;
use cairn_core::etag::ETag;
use cairn_core::id::PartNumber;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{CompletePart, CompleteUpload};
use cairn_protocol::metadata::query::{ListParts, ListedPart, UploadInfo};
use cairn_protocol::metadata::settings::BucketRecord;
use cairn_protocol::metadata::{MetadataError, Rejection};
use http::Response;
use http::header::CONTENT_TYPE;
use md5::{Digest, Md5};

use super::steps::completion;
use crate::body::Checksum;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::conditions::write_precondition;
use crate::request::name::ObjectName;
use crate::request::upload_call::UploadCall;
use crate::response::expiration::{Described, describe_expiration};
use crate::response::respond::{self, Answer};
use crate::response::version::describe_created;
use crate::xml::{COMPLETE_BYTES_MAX, CompleteMultipartUpload, CompleteMultipartUploadResult, CompletedPart};

pub(crate) async fn handle(mut call: UploadCall) -> Answer {
    let precondition = write_precondition(&call.request.headers);
    let body = call.request.read_completion(COMPLETE_BYTES_MAX).await?;
    let named = last_of_each(CompleteMultipartUpload::parse(&body)?.parts);
    let parts = named.iter().map(complete_part).collect::<Result<Vec<_>, _>>()?;
    let checksum = match stored_parts(&call).await? {
        Some((info, stored)) => completion::check(&call.request, &info, &named, &stored)?,
        // The upload is gone. The commit answers a repeated completion.
        None => None,
    };
    let ObjectName { bucket, key } = &call.object;
    let command = CompleteUpload {
        bucket: bucket.clone(),
        key: key.clone(),
        upload: call.upload,
        etag: multipart_etag(&parts),
        parts,
        checksum: checksum.as_ref().map(Checksum::to_stored),
        precondition,
        revision: None,
    };
    let decide = |record: &BucketRecord| CompleteUpload { revision: Some(record.revision), ..command.clone() };
    let completed = call.context.buckets().run(bucket, decide).await?;
    let host = call.request.header("host").unwrap_or("localhost");
    let checksum = completed.checksum.as_ref().and_then(Checksum::from_stored);
    let result = CompleteMultipartUploadResult {
        location: &format!("http://{host}/{bucket}/{key}"),
        bucket: bucket.as_str(),
        key: key.as_str(),
        etag: completed.etag,
        checksum: checksum.as_ref(),
    };
    let response = Response::builder().header(CONTENT_TYPE, respond::XML);
    let mut response = describe_created(response, call.context.ids()?, completed.version);
    if let Some(last_modified_ms) = completed.last_modified_ms {
        let (lifecycle, sequence, size) = (completed.lifecycle, completed.sequence, completed.size);
        let object = Described { lifecycle, sequence, last_modified_ms, size };
        response = describe_expiration(&call.context, &call.object, response, object).await;
    }
    respond::finish(response, Body::from(result.to_xml()))
}

/// Keeps the last of several entries in a row for one part: a client that sent the part twice lists both.
/// Source: ceph/s3-tests, `test_multipart_resend_first_finishes_last`.
fn last_of_each(named: Vec<CompletedPart>) -> Vec<CompletedPart> {
    let mut kept: Vec<CompletedPart> = Vec::with_capacity(named.len());
    for part in named {
        match kept.last_mut().filter(|last| last.number == part.number) {
            Some(last) => *last = part,
            None => kept.push(part),
        }
    }
    kept
}

fn complete_part(part: &CompletedPart) -> Result<CompletePart, S3Error> {
    let number = PartNumber::new(part.number).map_err(|_| S3Error::from(S3ErrorCode::InvalidPart))?;
    let etag = ETag::parse(&part.etag)
        .ok_or_else(|| S3Error::new(S3ErrorCode::InvalidPart).with("PartNumber", number.to_string()))?;
    Ok(CompletePart { number, etag })
}

/// MD5 of the parts' MD5s. Source: S3 API reference, "Object".
fn multipart_etag(parts: &[CompletePart]) -> ETag {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part.etag.md5);
    }
    ETag { md5: md5.finalize().into(), parts: Some(parts.len() as u32) }
}

/// All parts of the upload; `None` if it does not exist, or no longer.
async fn stored_parts(call: &UploadCall) -> Result<Option<(UploadInfo, Vec<ListedPart>)>, S3Error> {
    let ObjectName { bucket, key } = &call.object;
    let mut parts: Vec<ListedPart> = Vec::new();
    loop {
        let after = parts.last().map_or(0, |p| p.number.get());
        let query = ListParts { bucket: bucket.clone(), key: key.clone(), upload: call.upload, after, limit: 1000 };
        let page = match call.context.metadata().ask(query).await {
            Ok(page) => page,
            Err(MetadataError::Rejected(Rejection::NoSuchUpload)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        parts.extend(page.parts);
        if !page.truncated {
            return Ok(Some((page.upload, parts)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_entry_for_a_part_counts() {
        let part = |number, etag: &str| CompletedPart { number, etag: etag.to_owned(), checksums: Vec::new() };
        let kept = last_of_each(vec![part(1, "b"), part(1, "a"), part(2, "c"), part(1, "d")]);
        // Parts out of order stay out of order: the commit refuses them.
        assert_eq!(kept, [part(1, "a"), part(2, "c"), part(1, "d")]);
    }
}
