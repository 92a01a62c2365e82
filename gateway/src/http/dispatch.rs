//! Calls the operation that a request means.

use std::future::Future;

use super::route::Operation;
use crate::ops;
use crate::request::call::{Arrival, Call};
use crate::response::respond::Answer;

impl Operation {
    pub(super) async fn run(self, arrival: Arrival) -> Answer {
        match self {
            Self::ListBuckets => perform(arrival, ops::list_buckets::handle).await,
            Self::CreateBucket => perform(arrival, ops::create_bucket::handle).await,
            Self::HeadBucket => perform(arrival, ops::head_bucket::handle).await,
            Self::DeleteBucket => perform(arrival, ops::delete_bucket::handle).await,
            Self::GetBucketLocation => perform(arrival, ops::get_bucket_location::handle).await,
            Self::PutBucketVersioning => perform(arrival, ops::put_bucket_versioning::handle).await,
            Self::GetBucketVersioning => perform(arrival, ops::get_bucket_versioning::handle).await,
            Self::PutBucketLifecycle => perform(arrival, ops::put_bucket_lifecycle::handle).await,
            Self::GetBucketLifecycle => perform(arrival, ops::get_bucket_lifecycle::handle).await,
            Self::DeleteBucketLifecycle => perform(arrival, ops::delete_bucket_lifecycle::handle).await,
            Self::ListObjectsV1 => perform(arrival, ops::list_objects_v1::handle).await,
            Self::ListObjectsV2 => perform(arrival, ops::list_objects_v2::handle).await,
            Self::ListObjectVersions => perform(arrival, ops::list_object_versions::handle).await,
            Self::DeleteObjects => perform(arrival, ops::delete_objects::handle).await,
            Self::ListMultipartUploads => perform(arrival, ops::list_multipart_uploads::handle).await,
            Self::PutObject => perform(arrival, ops::put_object::handle).await,
            Self::CopyObject => perform(arrival, ops::copy_object::handle).await,
            Self::GetObject => perform(arrival, ops::get_object::handle).await,
            Self::GetObjectAttributes => perform(arrival, ops::get_object_attributes::handle).await,
            Self::HeadObject => perform(arrival, ops::head_object::handle).await,
            Self::DeleteObject => perform(arrival, ops::delete_object::handle).await,
            Self::CreateMultipartUpload => perform(arrival, ops::create_multipart_upload::handle).await,
            Self::UploadPart => perform(arrival, ops::upload_part::handle).await,
            Self::UploadPartCopy => perform(arrival, ops::upload_part_copy::handle).await,
            Self::CompleteMultipartUpload => perform(arrival, ops::complete_multipart_upload::handle).await,
            Self::AbortMultipartUpload => perform(arrival, ops::abort_multipart_upload::handle).await,
            Self::ListParts => perform(arrival, ops::list_parts::handle).await,
        }
    }
}

/// Parses the input of an operation and calls it. All operations pass through here, and at this point it is known what
/// they are about and nothing has been done yet: this is the place to decide whether the caller may do it.
async fn perform<C: Call, F: Future<Output = Answer>>(arrival: Arrival, handle: impl FnOnce(C) -> F) -> Answer {
    let call = C::parse(arrival)?;
    handle(call).await
}
