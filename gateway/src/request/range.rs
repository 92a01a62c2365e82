//! The `Range` header.

use cairn_core::range::ByteRange;

/// Parses `bytes=…` with one range. Several ranges, other units and malformed texts are ignored, as RFC 9110 allows
/// and AWS does: the whole object is returned.
pub(crate) fn parse_range(text: &str) -> Option<ByteRange> {
    let spec = text.trim().strip_prefix("bytes=")?.trim();
    let (first, last) = spec.split_once('-')?;
    let number = |text: &str| -> Option<u64> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        // A number too large for 64 bits is past the end of any object.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", last) => Some(ByteRange::Suffix(number(last)?)),
        (first, "") => Some(ByteRange::From(number(first)?)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::FromTo(first, last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_range_is_read_and_everything_else_ignored() {
        for (text, expected) in [
            ("bytes=0-4", Some(ByteRange::FromTo(0, 4))),
            ("bytes=5-", Some(ByteRange::From(5))),
            ("bytes=-7", Some(ByteRange::Suffix(7))),
            ("bytes=0-99999999999999999999999", Some(ByteRange::FromTo(0, u64::MAX))),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=a-b", None),
            ("items=0-1", None),
            ("bytes=-", None),
        ] {
            assert_eq!(parse_range(text), expected, "{text}");
        }
    }
}
