//! Percent-encoding as SigV4 requires it: everything but `A-Z a-z 0-9 - . _ ~`, in upper-case hex, each byte once.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn hex_value(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

fn push_encoded(out: &mut Vec<u8>, byte: u8) {
    if is_unreserved(byte) {
        out.push(byte);
    } else {
        out.extend_from_slice(&[b'%', HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
}

/// Decodes `%XX`, and `+` as `plus`, and passes each byte to `sink`. A `%` that starts no escape stands for itself.
fn decode_each(text: &[u8], plus: u8, mut sink: impl FnMut(u8)) {
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'%', [high, low, after @ ..]) => {
                if let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) {
                    sink(high << 4 | low);
                    rest = after;
                } else {
                    sink(b'%');
                }
            }
            (b'+', _) => sink(plus),
            _ => sink(byte),
        }
    }
}

/// Appends the canonical form of a path as it was received. Unlike other services, S3 encodes once and keeps slashes
/// and dots. Clients differ in which characters they escape, so the path is decoded first.
pub(super) fn push_canonical_path(out: &mut Vec<u8>, path: &str) {
    if path.is_empty() {
        out.push(b'/');
        return;
    }
    decode_each(path.as_bytes(), b'+', |byte| match byte {
        b'/' => out.push(b'/'),
        _ => push_encoded(out, byte),
    });
}

/// Appends the canonical form of a query (without `?`) as it was received: components decoded and encoded again, sorted
/// by name and then by value, without `X-Amz-Signature`.
pub(super) fn push_canonical_query(out: &mut Vec<u8>, query: &str) {
    if query.is_empty() {
        return;
    }
    let mut scratch = Vec::with_capacity(query.len() + 32);
    let mut pairs = Vec::with_capacity(8);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if name == "X-Amz-Signature" {
            continue;
        }
        let start = scratch.len();
        decode_each(name.as_bytes(), b' ', |byte| push_encoded(&mut scratch, byte));
        let middle = scratch.len();
        decode_each(value.as_bytes(), b' ', |byte| push_encoded(&mut scratch, byte));
        pairs.push((start..middle, middle..scratch.len()));
    }
    pairs.sort_by(|a, b| {
        (&scratch[a.0.clone()], &scratch[a.1.clone()]).cmp(&(&scratch[b.0.clone()], &scratch[b.1.clone()]))
    });
    for (index, (name, value)) in pairs.into_iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(&scratch[name]);
        out.push(b'=');
        out.extend_from_slice(&scratch[value]);
    }
}

fn into_text(bytes: Vec<u8>) -> String {
    // Only ASCII is ever pushed by `push_encoded`.
    String::from_utf8(bytes).unwrap_or_default()
}

/// A bucket and key, or any other text, as the path of a request: slashes stay, the rest is encoded.
pub fn encode_path(path: &str) -> String {
    let mut out = Vec::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte == b'/' {
            out.push(b'/');
        } else {
            push_encoded(&mut out, byte);
        }
    }
    into_text(out)
}

/// A name or a value of a query, encoded.
pub fn encode_query_component(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len() + 16);
    text.bytes().for_each(|byte| push_encoded(&mut out, byte));
    into_text(out)
}

/// A name or a value of a query, decoded; `+` is a space. `None` when the result is not UTF-8.
pub fn decode_query_component(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Some(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(text.len());
    decode_each(text.as_bytes(), b' ', |byte| out.push(byte));
    String::from_utf8(out).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_path(wire: &str, canonical: &str) {
        let mut out = Vec::new();
        push_canonical_path(&mut out, wire);
        assert_eq!(String::from_utf8(out).unwrap(), canonical);
    }

    fn check_query(wire: &str, canonical: &str) {
        let mut out = Vec::new();
        push_canonical_query(&mut out, wire);
        assert_eq!(String::from_utf8(out).unwrap(), canonical);
    }

    #[test]
    fn paths_are_encoded_once_whatever_the_client_escaped() {
        check_path("", "/");
        check_path("/bucket/a b$c", "/bucket/a%20b%24c");
        check_path("/bucket/a%20b%24c", "/bucket/a%20b%24c");
        check_path("/bucket/a+b", "/bucket/a%2Bb");
        check_path("/bucket/../x//y", "/bucket/../x//y");
        check_path("/bucket/%2f%e4%BD%a0~", "/bucket//%E4%BD%A0~");
        check_path("/bucket/100%", "/bucket/100%25");
        check_path("/bucket/%zz", "/bucket/%25zz");
    }

    #[test]
    fn queries_are_sorted_by_encoded_name_and_value() {
        check_query("", "");
        check_query("lifecycle", "lifecycle=");
        check_query("prefix=J&max-keys=2", "max-keys=2&prefix=J");
        check_query("a=2&a=1&A=3", "A=3&a=1&a=2");
        check_query("a-b=1&a=2", "a=2&a-b=1");
        check_query("prefix=a+b%2Fc", "prefix=a%20b%2Fc");
        check_query("X-Amz-Signature=abc&x=1=2&&", "x=1%3D2");
    }

    #[test]
    fn components_survive_encoding_and_decoding() {
        let text = "a b+c/d&e=ü%~";
        assert_eq!(decode_query_component(&encode_query_component(text)).unwrap(), text);
        assert_eq!(encode_path("/b/k e+y"), "/b/k%20e%2By");
        assert_eq!(decode_query_component("%ff"), None);
    }
}
