//! The canonical request and the string to sign.

use http::HeaderMap;
use http::header::HOST;
use sha2::{Digest, Sha256};

use super::credential::Scope;
use super::names::ALGORITHM;
use super::time::SigningTime;
use super::uri::{push_canonical_path, push_canonical_query};

/// A header that the signature claims to cover, but that the request lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the signed header {0} is missing from the request")]
pub struct MissingSignedHeader(pub String);

/// The parts of a request that a signature covers, as they were received.
#[derive(Debug, Clone, Copy)]
pub struct CanonicalRequest<'a> {
    /// Upper case.
    pub method: &'a str,
    /// Percent-encoded as the client chose.
    pub path: &'a str,
    /// Without the question mark; empty if there is none.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// Authority of the request target, used when there is no `host` header.
    pub authority: Option<&'a str>,
    /// Names of the signed headers: lower case, separated by semicolons, in the order in which they were signed.
    pub signed_headers: &'a str,
    /// The value of `x-amz-content-sha256`, or its substitute in a presigned URL.
    pub payload_hash: &'a str,
}

impl CanonicalRequest<'_> {
    /// The canonical request. Bytes, because header values need not be UTF-8.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MissingSignedHeader> {
        let mut out = Vec::with_capacity(512 + self.path.len() + self.query.len());
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        push_canonical_path(&mut out, self.path);
        out.push(b'\n');
        push_canonical_query(&mut out, self.query);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            self.push_header(&mut out, name)?;
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload_hash.as_bytes());
        Ok(out)
    }

    fn push_header(&self, out: &mut Vec<u8>, name: &str) -> Result<(), MissingSignedHeader> {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
        let mut values = self.headers.get_all(name).iter();
        if let Some(first) = values.next() {
            push_collapsed(out, first.as_bytes());
            for value in values {
                out.push(b',');
                push_collapsed(out, value.as_bytes());
            }
        } else if let (true, Some(authority)) = (name == HOST.as_str(), self.authority) {
            out.extend_from_slice(authority.as_bytes());
        } else {
            return Err(MissingSignedHeader(name.to_owned()));
        }
        out.push(b'\n');
        Ok(())
    }
}

/// Appends a header value without the space around it and with each run of inner space as one space.
fn push_collapsed(out: &mut Vec<u8>, value: &[u8]) {
    let words = value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty());
    for (index, word) in words.enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// The text that is signed for a request as a whole.
pub fn string_to_sign(time: SigningTime, scope: &Scope<'_>, canonical_request: &[u8]) -> String {
    format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex::encode(Sha256::digest(canonical_request)))
}

/// Whether the signature has to cover a header if it is present. S3 requires `host` and every `x-amz-*`; we also
/// require our own `x-cairn-*`.
pub fn must_be_signed(name: &str) -> bool {
    name == HOST.as_str() || name.starts_with("x-amz-") || name.starts_with("x-cairn-")
}

/// Whether the list `signed_headers` (separated by semicolons) contains `name`.
pub fn signs_header(signed_headers: &str, name: &str) -> bool {
    signed_headers.split(';').any(|signed| signed == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_trimmed_joined_and_kept_in_order() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-meta-a", "  one   two\t three ".parse().unwrap());
        headers.append("x-amz-meta-a", "four".parse().unwrap());
        headers.append("x-amz-meta-b", http::HeaderValue::from_bytes("ü".as_bytes()).unwrap());
        let request = CanonicalRequest {
            method: "GET",
            path: "/k",
            query: "b&a=1",
            headers: &headers,
            authority: Some("example.com:9000"),
            signed_headers: "host;x-amz-meta-a;x-amz-meta-b",
            payload_hash: "UNSIGNED-PAYLOAD",
        };
        let expected = "GET\n/k\na=1&b=\nhost:example.com:9000\nx-amz-meta-a:one two three,four\nx-amz-meta-b:ü\n\n\
                        host;x-amz-meta-a;x-amz-meta-b\nUNSIGNED-PAYLOAD";
        assert_eq!(String::from_utf8(request.to_bytes().unwrap()).unwrap(), expected);

        let missing = CanonicalRequest { signed_headers: "range", ..request };
        assert_eq!(missing.to_bytes(), Err(MissingSignedHeader("range".into())));
    }
}
