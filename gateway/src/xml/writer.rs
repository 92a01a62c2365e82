//! Writes a document into a string.
//!
//! quick-xml's own writer returns an I/O result for every event, although a string cannot fail, and does not escape
//! control characters, which keys may contain.

use std::fmt::{Display, Write};

use jiff::Timestamp;
use jiff::tz::Offset;

use super::encoding::KeyEncoding;
use crate::body::Checksum;

/// The namespace of all documents but errors. Source: S3 API reference.
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document under construction.
#[derive(Debug)]
pub struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// A document whose root is in S3's namespace.
    pub fn document(root: &str, body: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self { out: String::with_capacity(1024) };
        writer.out.push_str(DECLARATION);
        // Writing to a String does not fail.
        let _ = write!(writer.out, "<{root} xmlns=\"{NAMESPACE}\">");
        body(&mut writer);
        let _ = write!(writer.out, "</{root}>");
        writer.out
    }

    /// A document without a namespace: errors.
    pub fn bare_document(root: &str, body: impl FnOnce(&mut Self)) -> String {
        let mut writer = Self { out: String::with_capacity(512) };
        writer.out.push_str(DECLARATION);
        writer.element(root, body);
        writer.out
    }

    /// A document of one element with text in it.
    pub fn text_document(root: &str, text: &str) -> String {
        let mut writer = Self { out: String::with_capacity(256) };
        let _ = write!(writer.out, "{DECLARATION}<{root} xmlns=\"{NAMESPACE}\">");
        push_escaped(&mut writer.out, text);
        let _ = write!(writer.out, "</{root}>");
        writer.out
    }

    /// An element with elements in it.
    pub fn element(&mut self, name: &str, body: impl FnOnce(&mut Self)) {
        let _ = write!(self.out, "<{name}>");
        body(self);
        let _ = write!(self.out, "</{name}>");
    }

    /// An element with text in it.
    pub fn text(&mut self, name: &str, value: &str) {
        let _ = write!(self.out, "<{name}>");
        push_escaped(&mut self.out, value);
        let _ = write!(self.out, "</{name}>");
    }

    /// An element with text in it, if there is any.
    pub fn optional(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    /// An element with a number, a boolean or another word that needs no escaping.
    pub fn value(&mut self, name: &str, value: impl Display) {
        let _ = write!(self.out, "<{name}>{value}</{name}>");
    }

    /// An element with an entity tag, in quotes.
    pub fn etag(&mut self, name: &str, etag: impl Display) {
        let _ = write!(self.out, "<{name}>&quot;{etag}&quot;</{name}>");
    }

    /// An element with a key, a prefix, a marker or a delimiter, in the encoding that the client asked for.
    pub fn key(&mut self, name: &str, key: &str, encoding: KeyEncoding) {
        self.text(name, &encoding.encode(key));
    }

    /// As [`Self::key`], if there is a key.
    pub fn optional_key(&mut self, name: &str, key: Option<&str>, encoding: KeyEncoding) {
        if let Some(key) = key {
            self.key(name, key, encoding);
        }
    }

    /// `EncodingType`, if the client asked for an encoding.
    pub fn encoding_type(&mut self, encoding: KeyEncoding) {
        if encoding == KeyEncoding::Url {
            self.text("EncodingType", "url");
        }
    }

    /// An element with a time, given in milliseconds since the Unix epoch. Like AWS, it is written with milliseconds
    /// that are always zero, so that it compares equal to `Last-Modified`.
    pub fn time(&mut self, name: &str, unix_ms: u64) {
        let timestamp = Timestamp::from_second((unix_ms / 1000) as i64).unwrap_or(Timestamp::MAX);
        let civil = Offset::UTC.to_datetime(timestamp);
        let _ = write!(
            self.out,
            "<{name}>{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.000Z</{name}>",
            civil.year(),
            civil.month(),
            civil.day(),
            civil.hour(),
            civil.minute(),
            civil.second()
        );
    }

    /// The element of a checksum, such as `ChecksumCRC32`, if there is one.
    pub fn checksum(&mut self, checksum: Option<&Checksum>) {
        if let Some(checksum) = checksum {
            self.text(checksum.algorithm.element_name(), &checksum.base64);
        }
    }

    /// The elements of a checksum, and `ChecksumType` after it, if there is one.
    pub fn checksum_and_type(&mut self, checksum: Option<&Checksum>) {
        self.checksum(checksum);
        if let Some(checksum) = checksum {
            self.text("ChecksumType", checksum.kind.as_str());
        }
    }
}

/// Appends `text`, with references for characters that would end the element, that parsers would change, or that XML
/// 1.0 does not allow. For the last kind there is no right answer: a numeric reference is what AWS sends and what
/// lenient parsers read back. Clients that care ask for `encoding-type=url`.
fn push_escaped(out: &mut String, text: &str) {
    let mut plain_from = 0;
    for (at, character) in text.char_indices() {
        if !matches!(character, '\0'..='\x1f' | '&' | '<' | '>' | '"' | '\u{fffe}' | '\u{ffff}') {
            continue;
        }
        out.push_str(&text[plain_from..at]);
        plain_from = at + character.len_utf8();
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => {
                let _ = write!(out, "&#x{:X};", u32::from(other));
            }
        }
    }
    out.push_str(&text[plain_from..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut out = String::new();
        push_escaped(&mut out, text);
        assert_eq!(out, expected);
    }

    #[test]
    fn markup_and_control_characters_are_replaced() {
        check("plain ü €", "plain ü €");
        check("a<b>&\"c\"'", "a&lt;b&gt;&amp;&quot;c&quot;'");
        check("\u{1}\t\r\n\u{ffff}x", "&#x1;&#x9;&#xD;&#xA;&#xFFFF;x");
    }

    #[test]
    fn times_have_milliseconds_that_are_zero() {
        let document = XmlWriter::bare_document("T", |xml| xml.time("At", 1_369_353_600_999));
        assert!(document.ends_with("<T><At>2013-05-24T00:00:00.000Z</At></T>"), "{document}");
    }

    #[test]
    fn documents_declare_the_namespace() {
        let document = XmlWriter::document("T", |xml| xml.value("N", 1));
        assert_eq!(
            document,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<T xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><N>1</N></T>"
        );
    }
}
