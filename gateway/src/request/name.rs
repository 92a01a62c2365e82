//! Names of buckets and objects in requests.

use cairn_core::limits::KEY_BYTES_MAX;
use cairn_core::name::{BucketName, BucketNameError, ObjectKey, ObjectKeyError};

use crate::error::{S3Error, S3ErrorCode};

/// The name of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectName {
    pub(crate) bucket: BucketName,
    pub(crate) key: ObjectKey,
}

/// A bucket name, or the error that AWS gives for it.
pub(crate) fn bucket_name(text: &str) -> Result<BucketName, S3Error> {
    BucketName::new(text).map_err(|error| invalid_bucket_name(text, error))
}

pub(crate) fn invalid_bucket_name(text: &str, error: BucketNameError) -> S3Error {
    S3Error::with_message(S3ErrorCode::InvalidBucketName, format!("The specified bucket is not valid: {error}."))
        .with("BucketName", text)
}

/// An object key, or the error that AWS gives for it.
pub(crate) fn object_key(text: &str) -> Result<ObjectKey, S3Error> {
    ObjectKey::new(text).map_err(|e| match e {
        ObjectKeyError::TooLong(bytes) => S3Error::new(S3ErrorCode::KeyTooLong)
            .with("Size", bytes.to_string())
            .with("MaxSizeAllowed", KEY_BYTES_MAX.to_string()),
        ObjectKeyError::Empty => S3ErrorCode::UserKeyMustBeSpecified.into(),
    })
}
