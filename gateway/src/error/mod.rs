//! S3's errors, and the one place where a failure of another role becomes one of them.

mod code;
mod mapping;
mod s3_error;

pub use code::S3ErrorCode;
pub use s3_error::S3Error;
