//! Conditional requests. Source: RFC 9110, section 13.2.2, and the S3 API reference for the copy-source variants.

use cairn_core::etag::ETag;
use cairn_protocol::metadata::command::Precondition;
use http::HeaderMap;
use http::header::IF_RANGE;

use crate::http_date::parse_http_date;

/// The four conditions of a read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ReadConditions {
    matches: Option<Tags>,
    none_match: Option<Tags>,
    modified_since: Option<i64>,
    unmodified_since: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    /// Without the tags that no object here can have: they match nothing.
    Some(Vec<ETag>),
}

/// The result of the conditions of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Proceed,
    NotModified,
    Failed,
}

impl ReadConditions {
    /// The conditions of a GET or HEAD.
    pub(crate) fn of_request(headers: &HeaderMap) -> Self {
        Self::with_prefix(headers, "")
    }

    /// The conditions on the source of a copy.
    pub(crate) fn of_copy_source(headers: &HeaderMap) -> Self {
        Self::with_prefix(headers, "x-amz-copy-source-")
    }

    fn with_prefix(headers: &HeaderMap, prefix: &str) -> Self {
        let text = |name: &str| headers.get(format!("{prefix}{name}")).and_then(|v| v.to_str().ok());
        Self {
            matches: text("if-match").map(Tags::parse),
            none_match: text("if-none-match").map(Tags::parse),
            modified_since: text("if-modified-since").and_then(parse_http_date),
            unmodified_since: text("if-unmodified-since").and_then(parse_http_date),
        }
    }

    /// Evaluates the conditions in RFC 9110's order: a tag, if given, wins over a date.
    pub(crate) fn evaluate(&self, etag: &ETag, last_modified_ms: u64) -> Verdict {
        let modified = (last_modified_ms / 1000) as i64;
        match (&self.matches, self.unmodified_since) {
            (Some(tags), _) if !tags.contains(etag) => return Verdict::Failed,
            (None, Some(since)) if modified > since => return Verdict::Failed,
            _ => {}
        }
        match (&self.none_match, self.modified_since) {
            (Some(tags), _) if tags.contains(etag) => Verdict::NotModified,
            (None, Some(since)) if modified <= since => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }
}

impl Tags {
    fn parse(text: &str) -> Self {
        match text.trim() {
            "*" => Self::Any,
            list => Self::Some(list.split(',').filter_map(ETag::parse).collect()),
        }
    }

    fn contains(&self, etag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Some(tags) => tags.contains(etag),
        }
    }
}

/// Whether a range is wanted of this version, by `If-Range`: of any other the client wants the whole. Source: RFC 9110, section
/// 13.1.5: a tag is compared strongly, and a date has to be the same.
pub(crate) fn wants_range_of(headers: &HeaderMap, etag: &ETag, last_modified_ms: u64) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    match value.to_str().unwrap_or_default().trim() {
        tag if tag.starts_with('"') => ETag::parse(tag).as_ref() == Some(etag),
        date => parse_http_date(date) == Some((last_modified_ms / 1000) as i64),
    }
}

/// The first condition of a request, as errors name it: s3fs, for one, tells from it that an object exists already.
pub(crate) fn named_condition(headers: &HeaderMap) -> Option<&'static str> {
    const NAMES: [(&str, &str); 8] = [
        ("if-match", "If-Match"),
        ("if-none-match", "If-None-Match"),
        ("if-unmodified-since", "If-Unmodified-Since"),
        ("if-modified-since", "If-Modified-Since"),
        ("x-amz-copy-source-if-match", "x-amz-copy-source-If-Match"),
        ("x-amz-copy-source-if-none-match", "x-amz-copy-source-If-None-Match"),
        ("x-amz-copy-source-if-unmodified-since", "x-amz-copy-source-If-Unmodified-Since"),
        ("x-amz-copy-source-if-modified-since", "x-amz-copy-source-If-Modified-Since"),
    ];
    NAMES.into_iter().find(|(name, _)| headers.contains_key(*name)).map(|(_, shown)| shown)
}

/// A tag that no object has: none is uploaded in zero parts.
const NO_OBJECTS_TAG: ETag = ETag { md5: [0; 16], parts: Some(0) };

/// The conditions of a write: `If-Match` and `If-None-Match`, checked by the metadata service with the commit.
pub(crate) fn write_precondition(headers: &HeaderMap) -> Precondition {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let mut precondition = Precondition::default();
    match text("if-match").map(Tags::parse) {
        Some(Tags::Any) => precondition.must_exist = true,
        // Tags that no object here can have still require an object: without one the response is 404 and not 412.
        Some(Tags::Some(tags)) if tags.is_empty() => precondition.if_match = vec![NO_OBJECTS_TAG],
        Some(Tags::Some(tags)) => precondition.if_match = tags,
        None => {}
    }
    match text("if-none-match").map(Tags::parse) {
        Some(Tags::Any) => precondition.must_not_exist = true,
        Some(Tags::Some(tags)) => precondition.if_none_match = tags,
        None => {}
    }
    precondition
}

#[cfg(test)]
mod tests {
    use http::HeaderName;
    use http::header::IF_MATCH;

    use super::*;

    fn verdict(pairs: &[(&'static str, &str)]) -> Verdict {
        let headers: HeaderMap = pairs.iter().map(|(n, v)| (HeaderName::from_static(n), v.parse().unwrap())).collect();
        ReadConditions::of_request(&headers).evaluate(&ETag::single([0xab; 16]), 1_795_355_454_500)
    }

    #[test]
    fn an_unknown_tag_never_matches_and_still_requires_an_object() {
        let headers = HeaderMap::from_iter([(IF_MATCH, "\"badetag\"".parse().unwrap())]);
        let precondition = write_precondition(&headers);
        assert!(precondition.requires_existence());
        assert!(!precondition.holds(None) && !precondition.holds(Some(&ETag::single([0; 16]))));
    }

    #[test]
    fn a_range_is_wanted_of_one_version() {
        let wants = |value: &str| {
            let headers = HeaderMap::from_iter([(IF_RANGE, value.parse().unwrap())]);
            wants_range_of(&headers, &ETag::single([0xab; 16]), 1_795_355_454_500)
        };
        assert!(wants_range_of(&HeaderMap::new(), &ETag::single([1; 16]), 0));
        assert!(wants("\"abababababababababababababababab\"") && wants("Sun, 22 Nov 2026 13:50:54 GMT"));
        assert!(!wants("W/\"abababababababababababababababab\"") && !wants("\"x\"") && !wants("nonsense"));
        assert!(!wants("Sun, 22 Nov 2026 13:50:55 GMT") && !wants("Sun, 22 Nov 2026 13:50:53 GMT"));
    }

    #[test]
    fn tags_win_over_dates() {
        let mine = "\"abababababababababababababababab\"";
        let (same, before) = ("Sun, 22 Nov 2026 13:50:54 GMT", "Sun, 22 Nov 2026 13:50:53 GMT");
        assert_eq!(verdict(&[]), Verdict::Proceed);
        assert_eq!(verdict(&[("if-match", mine)]), Verdict::Proceed);
        assert_eq!(verdict(&[("if-match", "\"abc\"")]), Verdict::Failed);
        assert_eq!(verdict(&[("if-match", mine), ("if-unmodified-since", before)]), Verdict::Proceed);
        assert_eq!(verdict(&[("if-unmodified-since", before)]), Verdict::Failed);
        assert_eq!(verdict(&[("if-none-match", mine)]), Verdict::NotModified);
        assert_eq!(verdict(&[("if-none-match", "*")]), Verdict::NotModified);
        assert_eq!(verdict(&[("if-modified-since", same)]), Verdict::NotModified);
        assert_eq!(verdict(&[("if-modified-since", before)]), Verdict::Proceed);
        assert_eq!(verdict(&[("if-none-match", "\"x\""), ("if-modified-since", same)]), Verdict::Proceed);
    }
}
