//! The header of the two lifecycle operations.

/// The size from which on objects move to another storage class.
pub(in crate::ops) const MINIMUM_SIZE: &str = "x-amz-transition-default-minimum-object-size";
/// S3's own default.
pub(in crate::ops) const MINIMUM_SIZE_DEFAULT: &str = "all_storage_classes_128K";
