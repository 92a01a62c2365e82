//! Validated names: of buckets and of object keys.

mod bucket_name;
mod object_key;

pub use bucket_name::{BucketName, BucketNameError};
pub use object_key::{ObjectKey, ObjectKeyError};
