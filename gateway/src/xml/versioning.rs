//! Versioning of a bucket.

use super::XmlWriter;

/// The answer to GetBucketVersioning for a bucket that never was versioned, as none is yet. Source: S3 API reference,
/// "GetBucketVersioning": no status at all says so.
pub fn versioning_configuration() -> String {
    XmlWriter::document("VersioningConfiguration", |_| {})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_that_never_was_versioned_has_no_status() {
        assert!(versioning_configuration().ends_with("\"></VersioningConfiguration>"));
    }
}
