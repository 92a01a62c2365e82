//! The lifecycle configuration of a bucket. Source: S3 API reference, "PutBucketLifecycleConfiguration".

mod parse;
mod write;

pub use parse::{LIFECYCLE_BYTES_MAX, parse_lifecycle};
pub use write::lifecycle_configuration;

#[cfg(test)]
mod tests;
