//! `Content-Encoding` without S3's own framing.

/// The value to store for a `Content-Encoding` header: without `aws-chunked`, which describes the request and not the
/// object. `None` if nothing else is left. Source: S3 API reference, "Transferring payload in multiple chunks".
pub fn stored_content_encoding(header: &str) -> Option<String> {
    let kept: Vec<&str> = header
        .split(',')
        .map(str::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_framing_is_removed() {
        // From ceph/s3-tests, test_object_content_encoding_aws_chunked.
        for (header, stored) in [
            ("gzip", Some("gzip")),
            ("gzip, aws-chunked", Some("gzip")),
            ("aws-chunked, gzip", Some("gzip")),
            ("aws-chunked", None),
            ("aws-chunked, aws-chunked", None),
            ("gzip,br", Some("gzip, br")),
            ("", None),
        ] {
            assert_eq!(stored_content_encoding(header).as_deref(), stored, "{header}");
        }
    }
}
