//! Common prefixes, shared by the listings of objects and of uploads.

/// The part of `key` up to the first delimiter after `prefix`, into which the key is rolled up; `None` if there is no
/// delimiter. `key` starts with `prefix`. Source: S3 API reference, ListObjectsV2, "Delimiter".
pub(super) fn common_prefix<'k>(key: &'k [u8], prefix: &[u8], delimiter: &str) -> Option<&'k [u8]> {
    if delimiter.is_empty() {
        return None;
    }
    let rest = key.get(prefix.len()..)?;
    let at = rest.windows(delimiter.len()).position(|window| window == delimiter.as_bytes())?;
    key.get(..prefix.len() + at + delimiter.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_rolled_up_at_the_first_delimiter_after_the_prefix() {
        for (key, prefix, delimiter, expected) in [
            ("a/b/c", "", "/", Some("a/")),
            ("a/b/c", "a/", "/", Some("a/b/")),
            ("a/b", "a/", "/", None),
            ("a/b", "", "", None),
            ("aXYb", "a", "XY", Some("aXY")),
            ("a", "a", "/", None),
        ] {
            let got = common_prefix(key.as_bytes(), prefix.as_bytes(), delimiter);
            assert_eq!(got, expected.map(str::as_bytes), "{key} {prefix} {delimiter}");
        }
    }
}
