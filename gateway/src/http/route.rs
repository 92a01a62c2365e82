//! Which operation a request means.

use http::{HeaderMap, Method};

use crate::error::{S3Error, S3ErrorCode};
use crate::request::query::Query;
use crate::request::target::Target;

/// The operations that are implemented.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    ListBuckets,
    CreateBucket,
    HeadBucket,
    DeleteBucket,
    GetBucketLocation,
    PutBucketVersioning,
    GetBucketVersioning,
    PutBucketLifecycle,
    GetBucketLifecycle,
    DeleteBucketLifecycle,
    ListObjectsV1,
    ListObjectsV2,
    ListObjectVersions,
    DeleteObjects,
    ListMultipartUploads,
    PutObject,
    CopyObject,
    GetObject,
    GetObjectAttributes,
    HeadObject,
    DeleteObject,
    CreateMultipartUpload,
    UploadPart,
    UploadPartCopy,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListParts,
}

/// Query parameters that name a subresource or a feature, in the order in which the patterns below list them. A request
/// with one of these that its operation does not support is answered `NotImplemented`: nothing is accepted and then
/// ignored. Other parameters are ignored, as AWS does.
const SUBRESOURCES: [&str; 40] = [
    "accelerate",
    "acl",
    "analytics",
    "append",
    "attributes",
    "cors",
    "delete",
    "encryption",
    "intelligent-tiering",
    "inventory",
    "legal-hold",
    "lifecycle",
    "location",
    "logging",
    "metadataConfiguration",
    "metadataTable",
    "metrics",
    "notification",
    "object-lock",
    "ownershipControls",
    "partNumber",
    "policy",
    "policyStatus",
    "publicAccessBlock",
    "rename",
    "renameObject",
    "replication",
    "requestPayment",
    "restore",
    "retention",
    "select",
    "session",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versioning",
    "versionId",
    "versions",
    "website",
];

/// Finds the operation. If there is none, that is reported before any mistake in the names of bucket and key.
pub(super) fn find(method: &Method, target: &Target, query: &Query, headers: &HeaderMap) -> Result<Operation, S3Error> {
    let wanted: Vec<&str> = SUBRESOURCES.into_iter().filter(|name| query.has(name)).collect();
    let copy = headers.contains_key("x-amz-copy-source");
    match target {
        Target::Service => match (method, wanted.as_slice()) {
            (&Method::GET, []) => Ok(Operation::ListBuckets),
            (_, []) => Err(S3ErrorCode::MethodNotAllowed.into()),
            (_, [first, ..]) => Err(S3Error::not_implemented(*first)),
        },
        Target::Bucket(_) => bucket_operation(method, &wanted, query),
        Target::Object { .. } => object_operation(method, &wanted, query, copy),
    }
}

fn bucket_operation(method: &Method, wanted: &[&str], query: &Query) -> Result<Operation, S3Error> {
    use Operation as O;
    Ok(match (method, wanted) {
        (&Method::PUT, []) => O::CreateBucket,
        (&Method::HEAD, []) => O::HeadBucket,
        (&Method::DELETE, []) => O::DeleteBucket,
        (&Method::GET, ["location"]) => O::GetBucketLocation,
        (&Method::PUT, ["versioning"]) => O::PutBucketVersioning,
        (&Method::GET, ["versioning"]) => O::GetBucketVersioning,
        (&Method::PUT, ["lifecycle"]) => O::PutBucketLifecycle,
        (&Method::GET, ["lifecycle"]) => O::GetBucketLifecycle,
        (&Method::DELETE, ["lifecycle"]) => O::DeleteBucketLifecycle,
        (&Method::GET, ["uploads"]) => O::ListMultipartUploads,
        (&Method::GET, []) if query.get("list-type") == Some("2") => O::ListObjectsV2,
        (&Method::GET, []) => O::ListObjectsV1,
        (&Method::GET, ["versions"]) => O::ListObjectVersions,
        (&Method::POST, ["delete"]) => O::DeleteObjects,
        // A POST to a bucket without a subresource is a browser's form upload.
        (&Method::POST, []) => return Err(S3Error::not_implemented("POST Object")),
        (_, []) => return Err(S3ErrorCode::MethodNotAllowed.into()),
        (_, [first, ..]) => return Err(S3Error::not_implemented(*first)),
    })
}

fn object_operation(method: &Method, wanted: &[&str], query: &Query, copy: bool) -> Result<Operation, S3Error> {
    use Operation as O;
    Ok(match (method, wanted) {
        (&Method::PUT, []) if copy => O::CopyObject,
        (&Method::PUT, []) => O::PutObject,
        (&Method::PUT, ["partNumber", "uploadId"]) if copy => O::UploadPartCopy,
        (&Method::PUT, ["partNumber", "uploadId"]) => O::UploadPart,
        (&Method::GET, [] | ["partNumber" | "versionId"] | ["partNumber", "versionId"]) => O::GetObject,
        (&Method::HEAD, [] | ["partNumber" | "versionId"] | ["partNumber", "versionId"]) => O::HeadObject,
        (&Method::GET, ["attributes"] | ["attributes", "versionId"]) => O::GetObjectAttributes,
        (&Method::GET, ["uploadId"]) => O::ListParts,
        (&Method::DELETE, [] | ["versionId"]) => O::DeleteObject,
        (&Method::DELETE, ["uploadId"]) => O::AbortMultipartUpload,
        (&Method::POST, ["uploads"]) => O::CreateMultipartUpload,
        (&Method::POST, ["uploadId"]) => O::CompleteMultipartUpload,
        (&Method::PUT | &Method::POST, ["versionId"]) | (_, [.., "uploadId" | "uploads", "versionId"]) => {
            let id = query.get("versionId").unwrap_or_default();
            return Err(S3Error::invalid_argument("versionId", id, "This operation does not accept a version-id."));
        }
        (_, []) => return Err(S3ErrorCode::MethodNotAllowed.into()),
        (_, [first, ..]) => return Err(S3Error::not_implemented(*first)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::host::Style;

    fn check(method: &Method, path: &str, expected: Result<Operation, S3ErrorCode>) {
        let uri: http::Uri = path.parse().unwrap();
        let headers = HeaderMap::new();
        let target = Target::parse(&uri, Style::Path).unwrap();
        let query = Query::parse(uri.query()).unwrap();
        assert_eq!(find(method, &target, &query, &headers).map_err(|e| e.code()), expected, "{method} {path}");
    }

    #[test]
    fn requests_find_their_operation() {
        use Operation as O;
        check(&Method::GET, "/", Ok(O::ListBuckets));
        check(&Method::GET, "/b?list-type=2&prefix=x", Ok(O::ListObjectsV2));
        check(&Method::GET, "/b?max-keys=3", Ok(O::ListObjectsV1));
        check(&Method::GET, "/b?location", Ok(O::GetBucketLocation));
        check(&Method::PUT, "/b?versioning", Ok(O::PutBucketVersioning));
        check(&Method::GET, "/b?versioning", Ok(O::GetBucketVersioning));
        check(&Method::GET, "/b?versions&prefix=x", Ok(O::ListObjectVersions));
        check(&Method::PUT, "/b?lifecycle", Ok(O::PutBucketLifecycle));
        check(&Method::DELETE, "/b?lifecycle", Ok(O::DeleteBucketLifecycle));
        check(&Method::POST, "/b?delete", Ok(O::DeleteObjects));
        check(&Method::PUT, "/b/k?partNumber=1&uploadId=x", Ok(O::UploadPart));
        check(&Method::GET, "/b/k?partNumber=1&versionId=null", Ok(O::GetObject));
        check(&Method::GET, "/b/k?attributes&versionId=null", Ok(O::GetObjectAttributes));
        check(&Method::GET, "/b/k?x-id=GetObject", Ok(O::GetObject));
        check(&Method::HEAD, "/b/k?versionId=0000000000000007", Ok(O::HeadObject));
        check(&Method::DELETE, "/b/k?versionId=0000000000000007", Ok(O::DeleteObject));
    }

    #[test]
    fn unknown_subresources_are_never_ignored() {
        check(&Method::PUT, "/b?acl", Err(S3ErrorCode::NotImplemented));
        check(&Method::PUT, "/b/k?tagging", Err(S3ErrorCode::NotImplemented));
        check(&Method::DELETE, "/b?versioning", Err(S3ErrorCode::NotImplemented));
        check(&Method::GET, "/b/k?acl&versionId=null", Err(S3ErrorCode::NotImplemented));
        check(&Method::PUT, "/b/k?versionId=null", Err(S3ErrorCode::InvalidArgument));
        check(&Method::PUT, "/b/k?partNumber=1&uploadId=x&versionId=null", Err(S3ErrorCode::InvalidArgument));
        check(&Method::GET, "/b/k?torrent", Err(S3ErrorCode::NotImplemented));
        check(&Method::PATCH, "/b/k", Err(S3ErrorCode::MethodNotAllowed));
    }
}
