//! Which operation a request means.

use http::{HeaderMap, Method};

use super::call::{Answer, Call};
use super::query::Query;
use super::target::Target;
use crate::error::{S3Error, S3ErrorCode};
use crate::ops;

/// The operations that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
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

/// Query parameters that name a subresource or a feature. A request with one of these that its operation does not
/// know is answered `NotImplemented`: nothing is accepted and then ignored. Parameters that are not listed are ignored,
/// as AWS does.
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

/// Finds the operation.
pub(crate) fn find(method: &Method, target: &Target, query: &Query, headers: &HeaderMap) -> Result<Operation, S3Error> {
    use Operation as O;
    let wanted: Vec<&str> = SUBRESOURCES.into_iter().filter(|name| query.has(name)).collect();
    let copy = headers.contains_key("x-amz-copy-source");
    let operation = match (&target.bucket, &target.key) {
        (None, _) => match (method, wanted.as_slice()) {
            (&Method::GET, []) => O::ListBuckets,
            (_, []) => return Err(S3ErrorCode::MethodNotAllowed.into()),
            (_, [first, ..]) => return Err(S3Error::not_implemented(*first)),
        },
        (Some(_), None) => bucket_operation(method, &wanted, query)?,
        (Some(_), Some(_)) => object_operation(method, &wanted, query, copy)?,
    };
    Ok(operation)
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

impl Operation {
    /// Runs the operation.
    pub(crate) async fn run(self, call: Call) -> Answer {
        match self {
            Self::ListBuckets => ops::list_buckets::handle(call).await,
            Self::CreateBucket => ops::create_bucket::handle(call).await,
            Self::HeadBucket => ops::head_bucket::handle(call).await,
            Self::DeleteBucket => ops::delete_bucket::handle(call).await,
            Self::GetBucketLocation => ops::get_bucket_location::handle(call).await,
            Self::PutBucketVersioning => ops::put_bucket_versioning::handle(call).await,
            Self::GetBucketVersioning => ops::get_bucket_versioning::handle(call).await,
            Self::PutBucketLifecycle => ops::put_bucket_lifecycle::handle(call).await,
            Self::GetBucketLifecycle => ops::get_bucket_lifecycle::handle(call).await,
            Self::DeleteBucketLifecycle => ops::delete_bucket_lifecycle::handle(call).await,
            Self::ListObjectsV1 => ops::list_objects_v1::handle(call).await,
            Self::ListObjectsV2 => ops::list_objects_v2::handle(call).await,
            Self::ListObjectVersions => ops::list_object_versions::handle(call).await,
            Self::DeleteObjects => ops::delete_objects::handle(call).await,
            Self::ListMultipartUploads => ops::list_multipart_uploads::handle(call).await,
            Self::PutObject => ops::put_object::handle(call).await,
            Self::CopyObject => ops::copy_object::handle(call).await,
            Self::GetObject => ops::get_object::handle(call).await,
            Self::GetObjectAttributes => ops::get_object_attributes::handle(call).await,
            Self::HeadObject => ops::head_object::handle(call).await,
            Self::DeleteObject => ops::delete_object::handle(call).await,
            Self::CreateMultipartUpload => ops::create_multipart_upload::handle(call).await,
            Self::UploadPart => ops::upload_part::handle(call).await,
            Self::UploadPartCopy => ops::upload_part_copy::handle(call).await,
            Self::CompleteMultipartUpload => ops::complete_multipart_upload::handle(call).await,
            Self::AbortMultipartUpload => ops::abort_multipart_upload::handle(call).await,
            Self::ListParts => ops::list_parts::handle(call).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &Method, path: &str, expected: Result<Operation, S3ErrorCode>) {
        let uri: http::Uri = path.parse().unwrap();
        let headers = HeaderMap::new();
        let target = Target::parse(&uri, &headers, &[]).unwrap();
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
    fn what_is_not_there_is_never_ignored() {
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
