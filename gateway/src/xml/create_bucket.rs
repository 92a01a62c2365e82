//! CreateBucket.

use serde::Deserialize;

use super::document::{self, Shape};
use crate::error::S3Error;

/// Largest document, in bytes.
pub const CREATE_BUCKET_BYTES_MAX: usize = 64 << 10;

const SHAPE: Shape = Shape {
    root: "CreateBucketConfiguration",
    elements: Some(&["LocationConstraint"]),
    not_implemented: &["Bucket", "Location", "Tags"],
};

/// The body of CreateBucket. Source: S3 API reference, "CreateBucket".
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct CreateBucketConfiguration {
    /// The region that the bucket shall be in.
    pub location_constraint: Option<String>,
}

impl CreateBucketConfiguration {
    /// An empty body means no configuration.
    pub fn parse(body: &[u8]) -> Result<Self, S3Error> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let mut parsed: Self = document::parse(body, &SHAPE, CREATE_BUCKET_BYTES_MAX)?;
        parsed.location_constraint = parsed.location_constraint.filter(|region| !region.is_empty());
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::S3ErrorCode;

    fn check(body: &str, expected: Result<Option<&str>, S3ErrorCode>) {
        let parsed = CreateBucketConfiguration::parse(body.as_bytes());
        let region = parsed.map(|parsed| parsed.location_constraint).map_err(|error| error.code());
        assert_eq!(region, expected.map(|region| region.map(str::to_owned)), "{body}");
    }

    #[test]
    fn the_region_is_found_with_and_without_namespace() {
        check("", Ok(None));
        check("<CreateBucketConfiguration/>", Ok(None));
        check("<CreateBucketConfiguration><LocationConstraint/></CreateBucketConfiguration>", Ok(None));
        check(
            "<?xml version=\"1.0\"?><CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n\
             <LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>",
            Ok(Some("eu-west-1")),
        );
    }

    #[test]
    fn other_documents_are_malformed() {
        check("x", Err(S3ErrorCode::MalformedXml));
        check("<Delete/>", Err(S3ErrorCode::MalformedXml));
        check("<CreateBucketConfiguration>", Err(S3ErrorCode::MalformedXml));
        check("<!DOCTYPE a [<!ENTITY e \"x\">]><CreateBucketConfiguration/>", Err(S3ErrorCode::MalformedXml));
    }
}
