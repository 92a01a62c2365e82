//! What an operation takes. Everything else that asks for something is refused: nothing is accepted and then ignored.
//!
//! Source: S3 API reference, the request syntax of each operation.

use http::{HeaderMap, Method};

use super::route::Operation;
use crate::body::ChecksumAlgorithm;
use crate::error::{S3Error, S3ErrorCode};
use crate::request::query::Query;

/// Headers of the `x-amz-` family that every operation takes: those of the signature and of the body's framing, what SDKs and
/// proxies say of themselves, and who pays, which is nobody here.
const EVERYWHERE: [&str; 12] = [
    "x-amz-cf-id",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-id-2",
    "x-amz-request-payer",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-security-token",
    "x-amz-te",
    "x-amz-trailer",
    "x-amz-user-agent",
];
/// What a request says of the object that it creates, besides `x-amz-meta-*`.
const NEW_OBJECT: [&str; 3] = ["x-amz-acl", "x-amz-storage-class", "x-amz-website-redirect-location"];
const COPY_SOURCE: [&str; 6] = [
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-source-expected-bucket-owner",
];
/// Without MFA delete and without object lock these two change nothing.
const DELETION: [&str; 2] = ["x-amz-bypass-governance-retention", "x-amz-mfa"];
const CONDITIONS: [&str; 5] = ["if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"];
const TAGS: [&str; 2] = ["if-match", "if-none-match"];
/// Parameters of listings. A listing ignores those of the others, as AWS does.
const LISTING: [&str; 15] = [
    "continuation-token",
    "delimiter",
    "encoding-type",
    "fetch-owner",
    "key-marker",
    "list-type",
    "marker",
    "max-keys",
    "max-parts",
    "max-uploads",
    "part-number-marker",
    "prefix",
    "start-after",
    "upload-id-marker",
    "version-id-marker",
];

/// Refuses what `operation` does not take.
pub(super) fn check(
    operation: Operation,
    method: &Method,
    query: &Query,
    headers: &HeaderMap,
    presigned: bool,
) -> Result<(), S3Error> {
    check_named_operation(operation, query)?;
    for name in headers.keys().map(http::HeaderName::as_str) {
        if !operation.takes_header(method, name) {
            return Err(S3Error::not_implemented(name));
        }
    }
    match query.names().find(|name| !operation.takes_parameter(name, presigned)) {
        Some(unknown) => Err(S3Error::not_implemented(unknown)),
        None => Ok(()),
    }
}

/// SDKs name the operation that they mean. One whose bucket is in the host means an object where the path alone means a bucket.
fn check_named_operation(operation: Operation, query: &Query) -> Result<(), S3Error> {
    let by_target = match operation {
        Operation::CreateBucket => "CreateBucket",
        Operation::DeleteBucket => "DeleteBucket",
        Operation::HeadBucket => "HeadBucket",
        _ => return Ok(()),
    };
    match query.get("x-id") {
        Some(meant) if meant != by_target => {
            let message = format!("The request is {by_target} by its target, and {meant} by its x-id.");
            Err(S3Error::with_message(S3ErrorCode::InvalidRequest, message))
        }
        _ => Ok(()),
    }
}

impl Operation {
    fn takes_header(self, method: &Method, name: &str) -> bool {
        let is_condition = CONDITIONS.contains(&name);
        if !name.starts_with("x-amz-") && !is_condition {
            return true;
        }
        // Whoever asks for a document only if it has changed gets it.
        if method == Method::GET && matches!(name, "if-none-match" | "if-modified-since" | "if-range") {
            return true;
        }
        EVERYWHERE.contains(&name) || self.own_header(name)
    }

    fn own_header(self, name: &str) -> bool {
        let among = |names: &[&str]| names.contains(&name);
        let checksum = || ChecksumAlgorithm::from_header_name(name).is_some();
        let new_object = || among(&NEW_OBJECT) || name.starts_with("x-amz-meta-");
        match self {
            Self::CreateBucket => {
                among(&["x-amz-acl", "x-amz-bucket-object-lock-enabled", "x-amz-object-ownership"]) || checksum()
            }
            Self::PutBucketVersioning | Self::UploadPart => checksum(),
            Self::PutBucketLifecycle => checksum() || name == "x-amz-transition-default-minimum-object-size",
            Self::ListBuckets
            | Self::HeadBucket
            | Self::DeleteBucket
            | Self::GetBucketLocation
            | Self::GetBucketVersioning
            | Self::GetBucketLifecycle
            | Self::DeleteBucketLifecycle
            | Self::ListMultipartUploads
            | Self::ListParts
            | Self::AbortMultipartUpload => false,
            Self::ListObjectsV1 | Self::ListObjectsV2 | Self::ListObjectVersions => {
                name == "x-amz-optional-object-attributes"
            }
            Self::DeleteObjects => checksum() || among(&DELETION),
            Self::PutObject => new_object() || checksum() || among(&TAGS) || name == "x-amz-checksum-algorithm",
            Self::CopyObject => {
                new_object()
                    || among(&COPY_SOURCE)
                    || among(&TAGS)
                    || among(&["x-amz-checksum-algorithm", "x-amz-metadata-directive", "x-amz-tagging-directive"])
            }
            Self::GetObject | Self::HeadObject => among(&CONDITIONS) || name == "x-amz-checksum-mode",
            Self::GetObjectAttributes => {
                among(&["x-amz-max-parts", "x-amz-object-attributes", "x-amz-part-number-marker"])
            }
            Self::DeleteObject => among(&DELETION) || among(&TAGS),
            Self::CreateMultipartUpload => new_object() || among(&["x-amz-checksum-algorithm", "x-amz-checksum-type"]),
            Self::UploadPartCopy => among(&COPY_SOURCE) || name == "x-amz-copy-source-range",
            Self::CompleteMultipartUpload => {
                checksum() || among(&TAGS) || among(&["x-amz-checksum-type", "x-amz-mp-object-size"])
            }
        }
    }

    /// Reads of objects ignore parameters that nobody knows, as AWS does: links carry such. Everywhere else one may name a
    /// subresource, and the request must not do something else instead.
    fn takes_parameter(self, name: &str, presigned: bool) -> bool {
        if name == "x-id" || (presigned && is_of_signature(name)) {
            return true;
        }
        match self {
            Self::GetObject | Self::HeadObject | Self::GetObjectAttributes => true,
            Self::ListBuckets => matches!(name, "bucket-region" | "continuation-token" | "max-buckets" | "prefix"),
            Self::ListObjectsV1
            | Self::ListObjectsV2
            | Self::ListObjectVersions
            | Self::ListMultipartUploads
            | Self::ListParts => LISTING.contains(&name) || matches!(name, "uploadId" | "uploads" | "versions"),
            Self::GetBucketLocation => name == "location",
            Self::PutBucketVersioning | Self::GetBucketVersioning => name == "versioning",
            Self::PutBucketLifecycle | Self::GetBucketLifecycle | Self::DeleteBucketLifecycle => name == "lifecycle",
            Self::DeleteObjects => name == "delete",
            Self::DeleteObject => name == "versionId",
            Self::CreateMultipartUpload => name == "uploads",
            Self::UploadPart | Self::UploadPartCopy => matches!(name, "partNumber" | "uploadId"),
            Self::CompleteMultipartUpload | Self::AbortMultipartUpload => name == "uploadId",
            Self::CreateBucket | Self::HeadBucket | Self::DeleteBucket | Self::PutObject | Self::CopyObject => false,
        }
    }
}

/// Of a presigned link: parameters of its signature, and headers that it carries.
fn is_of_signature(name: &str) -> bool {
    name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case("x-amz-"))
        || matches!(name, "AWSAccessKeyId" | "Expires" | "Signature")
}

#[cfg(test)]
mod tests {
    use http::HeaderName;

    use super::*;

    fn check_one(operation: Operation, method: &Method, query: &str, headers: &[&'static str]) -> Option<String> {
        let headers = headers.iter().map(|name| (HeaderName::from_static(name), "x".parse().unwrap())).collect();
        let refused = check(operation, method, &Query::parse(Some(query)).unwrap(), &headers, false).err()?;
        Some(refused.detail("Header").map_or_else(|| refused.code().as_str().to_owned(), str::to_owned))
    }

    fn refused(operation: Operation, method: &Method, header: &'static str) {
        assert_eq!(check_one(operation, method, "", &[header]).as_deref(), Some(header), "{operation:?}");
    }

    fn taken(operation: Operation, method: &Method, query: &str, headers: &[&'static str]) {
        assert_eq!(check_one(operation, method, query, headers), None, "{operation:?} {query} {headers:?}");
    }

    #[test]
    fn headers_that_an_operation_does_not_know_are_refused_by_name() {
        use Operation as O;
        let (get, put, post, delete) = (&Method::GET, &Method::PUT, &Method::POST, &Method::DELETE);
        refused(O::DeleteObject, delete, "x-amz-if-match-size");
        refused(O::DeleteObject, delete, "x-amz-if-match-last-modified-time");
        refused(O::DeleteObject, delete, "if-unmodified-since");
        refused(O::PutObject, put, "x-amz-server-side-encryption-customer-key");
        refused(O::PutObject, put, "x-amz-checksum-sha512");
        refused(O::PutObject, put, "x-amz-copy-source-range");
        refused(O::PutObject, put, "if-modified-since");
        refused(O::UploadPart, put, "x-amz-server-side-encryption-customer-algorithm");
        refused(O::UploadPart, put, "if-none-match");
        refused(O::GetObject, get, "x-amz-server-side-encryption-customer-algorithm");
        refused(O::CreateBucket, put, "x-amz-grant-write");
        refused(O::CreateBucket, put, "x-amz-meta-color");
        refused(O::CreateMultipartUpload, post, "x-amz-tagging");
        refused(O::CompleteMultipartUpload, post, "x-amz-checksum-xxhash64");
        refused(O::ListObjectsV2, get, "if-match");
        refused(O::HeadBucket, &Method::HEAD, "x-amz-unheard-of");
    }

    #[test]
    fn what_clients_send_by_default_is_taken() {
        use Operation as O;
        let signature = ["x-amz-date", "x-amz-content-sha256", "x-amz-user-agent", "user-agent", "content-type"];
        taken(O::CreateBucket, &Method::PUT, "", &signature);
        taken(O::DeleteBucket, &Method::DELETE, "x-id=DeleteBucket", &signature);
        taken(O::ListBuckets, &Method::GET, "max-buckets=5&x-id=ListBuckets", &signature);
        taken(O::ListObjectsV2, &Method::GET, "list-type=2&prefix=&delimiter=%2F&max-keys=0&fetch-owner=true", &[]);
        taken(O::ListObjectsV1, &Method::GET, "marker=&max-keys=1000", &["if-none-match"]);
        taken(O::PutObject, &Method::PUT, "x-id=PutObject", &["x-amz-trailer", "x-amz-meta-mtime", "if-none-match"]);
        taken(O::GetObject, &Method::GET, "cache-buster&v=3", &["range", "if-range", "x-amz-checksum-mode"]);
        taken(O::UploadPart, &Method::PUT, "partNumber=1&uploadId=u&x-id=UploadPart", &["x-amz-checksum-crc32"]);
    }

    #[test]
    fn a_subresource_that_is_unknown_is_never_something_else() {
        use Operation as O;
        let unknown = |operation, method: &Method| check_one(operation, method, "annotation", &[]);
        for operation in [O::CreateBucket, O::PutObject, O::CopyObject] {
            assert_eq!(unknown(operation, &Method::PUT).as_deref(), Some("annotation"));
        }
        for operation in [O::DeleteBucket, O::DeleteObject] {
            assert_eq!(unknown(operation, &Method::DELETE).as_deref(), Some("annotation"));
        }
        for operation in [O::ListBuckets, O::ListObjectsV1] {
            assert_eq!(unknown(operation, &Method::GET).as_deref(), Some("annotation"));
        }
    }

    #[test]
    fn an_object_that_is_taken_for_a_bucket_is_refused() {
        let put = check_one(Operation::CreateBucket, &Method::PUT, "x-id=PutObject", &[]);
        assert_eq!(put.as_deref(), Some("InvalidRequest"));
    }
}
