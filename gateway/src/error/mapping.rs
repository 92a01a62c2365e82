//! From the errors of metadata and data path to S3's: one exhaustive mapping for each.

use cairn_protocol::metadata::{MetadataError, Rejection};

use super::code::S3ErrorCode;
use super::s3_error::S3Error;
use crate::data::{BudgetError, ReadError, WriteError};

impl From<MetadataError> for S3Error {
    fn from(error: MetadataError) -> Self {
        match error {
            MetadataError::Rejected(rejection) => rejection.into(),
            MetadataError::Unavailable(detail) => {
                unavailable(&format!("The metadata service is not available: {detail}"))
            }
            MetadataError::Unknown(detail) => {
                tracing::warn!(detail, "the outcome of a metadata command is unknown; answering 500");
                S3Error::with_message(
                    S3ErrorCode::InternalError,
                    "The outcome of the request is not known. Read before you write again.",
                )
            }
            MetadataError::Protocol(detail) | MetadataError::Store(detail) => {
                tracing::error!(detail, "a metadata call failed; answering 500");
                S3ErrorCode::InternalError.into()
            }
        }
    }
}

impl From<Rejection> for S3Error {
    fn from(rejection: Rejection) -> Self {
        use S3ErrorCode as C;
        match rejection {
            Rejection::NoSuchBucket => C::NoSuchBucket.into(),
            Rejection::BucketExists => C::BucketAlreadyOwnedByYou.into(),
            Rejection::BucketNotEmpty => C::BucketNotEmpty.into(),
            // A read says more about the delete marker that it finds: see `ops::steps::find_object`.
            Rejection::NoSuchKey | Rejection::DeleteMarker(_) => C::NoSuchKey.into(),
            Rejection::NoSuchVersion => C::NoSuchVersion.into(),
            Rejection::PreconditionFailed => C::PreconditionFailed.into(),
            Rejection::NoSuchUpload => C::NoSuchUpload.into(),
            Rejection::InvalidPart(number) => S3Error::new(C::InvalidPart).with("PartNumber", number.to_string()),
            Rejection::InvalidPartOrder => C::InvalidPartOrder.into(),
            Rejection::PartTooSmall { number, bytes } => S3Error::new(C::EntityTooSmall)
                .with("PartNumber", number.to_string())
                .with("ProposedSize", bytes.to_string())
                .with("MinSizeAllowed", cairn_core::limits::PART_BYTES_MIN.to_string()),
            Rejection::SessionEnded(session) => {
                unavailable(&format!("This gateway's session {session} has ended; it opens another. Please try again."))
            }
            Rejection::LimitReached(what) => S3Error::with_message(C::TooManyBuckets, what),
            Rejection::Topology(detail) | Rejection::Stale(detail) | Rejection::OtherRelease(detail) => {
                unavailable(&detail)
            }
            Rejection::NotYet(_) => S3Error::with_message(C::NotImplemented, rejection.to_string()),
            // Where there is no room is for the operator's log and not for the client.
            Rejection::NoRoom(detail) => {
                tracing::error!(detail, "the metadata service refused to store more; answering 503");
                unavailable("The cluster's metadata has no room for more. Nothing was stored. Please try again later.")
            }
            Rejection::StaleSettings(_) => unavailable(&rejection.to_string()),
            Rejection::InvalidSetting(detail) => S3Error::with_message(C::InvalidRequest, detail),
            // AWS documents 416 InvalidPartNumber; ceph/s3-tests requires this (test_multipart_get_part).
            Rejection::NoSuchPart => C::InvalidPart.into(),
            Rejection::ObjectTooLarge => C::EntityTooLarge.into(),
        }
    }
}

impl<E: Into<Self>> From<WriteError<E>> for S3Error {
    fn from(error: WriteError<E>) -> Self {
        match error {
            WriteError::Body(error) => error.into(),
            WriteError::Short { .. } => S3ErrorCode::IncompleteBody.into(),
            WriteError::Long { .. } => S3Error::with_message(S3ErrorCode::InvalidRequest, error.to_string()),
            WriteError::Budget(error) => error.into(),
            WriteError::NoSession(_) | WriteError::NoClusterMap | WriteError::Placement(_) => {
                tracing::error!(%error, "a write failed; answering 503");
                unavailable(&error.to_string())
            }
            // Which disks failed, and why, is for the operator's log and not for the client.
            WriteError::Quorum { .. } => {
                tracing::error!(%error, "a write failed; answering 503");
                unavailable("Too few disks took their shards of the object. Nothing was stored. Please try again.")
            }
            WriteError::Codec(_) | WriteError::DigestThread => {
                tracing::error!(%error, "a write failed; answering 500");
                S3ErrorCode::InternalError.into()
            }
        }
    }
}

impl From<ReadError> for S3Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Metadata(error) => error.into(),
            ReadError::Budget(error) => error.into(),
            ReadError::NoClusterMap => unavailable(&error.to_string()),
            ReadError::Lost { .. } => {
                tracing::error!(%error, "a read failed; answering 503");
                unavailable(
                    "Too few shards of the object can be read at the moment. Nothing is deleted because of that: it \
                     can be read again when its disks are back.",
                )
            }
            ReadError::Gap { .. } | ReadError::Codec(_) => {
                tracing::error!(%error, "a read failed; answering 500");
                S3ErrorCode::InternalError.into()
            }
        }
    }
}

impl From<BudgetError> for S3Error {
    fn from(error: BudgetError) -> Self {
        match error {
            BudgetError::Exhausted { .. } => S3ErrorCode::SlowDown.into(),
            BudgetError::TooSmall { .. } => {
                tracing::error!(%error, "the gateway's memory is set too small; answering 503");
                unavailable(
                    "The gateway's memory is too small for how the object is coded. Its operator must raise it.",
                )
            }
        }
    }
}

/// 503: nothing is wrong with the request, and the client may retry it later.
fn unavailable(message: &str) -> S3Error {
    S3Error::with_message(S3ErrorCode::ServiceUnavailable, message.to_owned())
}
