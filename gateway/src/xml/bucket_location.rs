//! GetBucketLocation.

use super::writer::XmlWriter;

/// The region whose buckets have, for historical reasons, an empty location.
const DEFAULT_REGION: &str = "us-east-1";

/// The response of GetBucketLocation. Source: S3 API reference, "GetBucketLocation".
pub fn location_constraint(region: &str) -> String {
    let region = if region == DEFAULT_REGION { "" } else { region };
    XmlWriter::text_document("LocationConstraint", region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_region_is_empty() {
        assert!(
            location_constraint("us-east-1").ends_with(
                "<LocationConstraint xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"></LocationConstraint>"
            )
        );
        assert!(location_constraint("eu-west-1").ends_with(">eu-west-1</LocationConstraint>"));
    }
}
