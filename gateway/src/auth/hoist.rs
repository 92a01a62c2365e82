//! Headers that a presigned URL carries in its query.

use cairn_protocol::sigv4::decode_query_component;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Parameters of the signature, which are not headers.
const SIGNATURE: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
];

/// Adds to `headers` what SDKs moved from there into the query of a presigned URL: every `x-amz-*` parameter that does
/// not belong to the signature, such as `x-amz-meta-color` or `x-amz-checksum-crc32`. A header that is present stays.
/// Only for requests whose query is signed.
pub fn hoist_query_headers(query: &str, headers: &mut HeaderMap) {
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !name.get(..6).is_some_and(|prefix| prefix.eq_ignore_ascii_case("x-amz-")) {
            continue;
        }
        let (Some(name), Some(value)) = (decode_query_component(name), decode_query_component(value)) else { continue };
        let name = name.to_ascii_lowercase();
        if SIGNATURE.contains(&name.as_str()) {
            continue;
        }
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.entry(name).or_insert(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_become_headers_unless_they_sign_or_a_header_is_present() {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-acl", HeaderValue::from_static("private"));
        let query =
            "X-Amz-Date=d&X-Amz-Signature=s&x-amz-acl=public-read&X-Amz-Meta-Color=deep%20red&prefix=p&x-id=Put";
        hoist_query_headers(query, &mut headers);
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["x-amz-acl"], "private");
        assert_eq!(headers["x-amz-meta-color"], "deep red");
    }
}
