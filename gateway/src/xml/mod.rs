//! The XML documents of S3, one file each: plain data in and text out for responses, bytes in and plain data out for
//! requests. Nothing here knows where the data comes from.
//!
//! [`XmlWriter`] writes responses. quick-xml parses requests, with limits on size and number of entries, and every
//! defect is reported as `MalformedXML`. Times are in milliseconds since the Unix epoch.

mod bucket_location;
mod complete_multipart_upload;
mod copy_result;
mod create_bucket;
mod delete_objects;
mod document;
mod encoding;
mod entry;
mod error_document;
mod initiate_multipart_upload;
mod lifecycle;
mod list_buckets;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects_v1;
mod list_objects_v2;
mod list_parts;
mod listed_page;
mod object_attributes;
mod versioning;
mod writer;

pub use bucket_location::location_constraint;
pub use complete_multipart_upload::{
    COMPLETE_BYTES_MAX, CompleteMultipartUpload, CompleteMultipartUploadResult, CompletedPart,
};
pub use copy_result::{copy_object_result, copy_part_result};
pub use create_bucket::{CREATE_BUCKET_BYTES_MAX, CreateBucketConfiguration};
pub use delete_objects::{DELETE_BYTES_MAX, Delete, DeleteOutcome, DeleteResult, ObjectToDelete};
pub use encoding::KeyEncoding;
pub use entry::{ListedChecksum, ListedObject, Owner};
pub use error_document::error_document;
pub use initiate_multipart_upload::InitiateMultipartUploadResult;
pub use lifecycle::{LIFECYCLE_BYTES_MAX, lifecycle_configuration, parse_lifecycle};
pub use list_buckets::{ListAllMyBucketsResult, ListedBucket};
pub use list_multipart_uploads::{ListMultipartUploadsResult, ListedUpload};
pub use list_object_versions::{ListVersionsResult, ListedVersion};
pub use list_objects_v1::ListBucketResultV1;
pub use list_objects_v2::ListBucketResultV2;
pub use list_parts::{ListPartsResult, ListedPart};
pub use listed_page::ListedPage;
pub use object_attributes::ObjectAttributes;
pub use versioning::{VERSIONING_BYTES_MAX, parse_versioning, versioning_configuration};
pub use writer::XmlWriter;
