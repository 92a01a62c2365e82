//! Parses the documents that clients send.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde::de::DeserializeOwned;

use crate::error::{S3Error, S3ErrorCode};

/// What a document may consist of.
pub(super) struct Shape {
    pub(super) root: &'static str,
    /// The elements below the root, at any depth; `None` where the parser itself refuses others.
    pub(super) elements: Option<&'static [&'static str]>,
    /// Elements that AWS knows and this gateway does not.
    pub(super) not_implemented: &'static [&'static str],
}

/// Parses a document of this shape. Namespaces and prefixes are ignored: clients disagree on them. A document type declaration
/// is refused, so no entities are expanded other than XML's own.
pub(super) fn parse<T: DeserializeOwned>(document: &[u8], shape: &Shape, bytes_max: usize) -> Result<T, S3Error> {
    if document.len() > bytes_max {
        return Err(S3ErrorCode::MaxMessageLengthExceeded.into());
    }
    let text = std::str::from_utf8(document).map_err(|_| malformed())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_shape(text, shape)?;
    quick_xml::de::from_str(text).map_err(|_| malformed())
}

pub(super) fn malformed() -> S3Error {
    S3ErrorCode::MalformedXml.into()
}

/// An element that was ignored could change what the document means, and so could what comes after its end.
fn check_shape(text: &str, shape: &Shape) -> Result<(), S3Error> {
    let mut reader = Reader::from_str(text);
    let (mut depth, mut has_root) = (0_u32, false);
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(element) => {
                shape.check_element(&element, depth, &mut has_root)?;
                depth += 1;
            }
            Event::Empty(element) => shape.check_element(&element, depth, &mut has_root)?,
            Event::End(_) => depth = depth.saturating_sub(1),
            Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => return Err(malformed()),
            Event::DocType(_) | Event::CData(_) | Event::GeneralRef(_) if depth == 0 => return Err(malformed()),
            Event::Eof => return if has_root { Ok(()) } else { Err(malformed()) },
            _ => {}
        }
    }
}

impl Shape {
    fn check_element(&self, element: &BytesStart<'_>, depth: u32, has_root: &mut bool) -> Result<(), S3Error> {
        match depth {
            0 if *has_root || element.local_name().as_ref() != self.root => Err(malformed()),
            0 => {
                *has_root = true;
                Ok(())
            }
            _ => self.check_name(element.local_name().as_ref()),
        }
    }

    fn check_name(&self, name: &str) -> Result<(), S3Error> {
        if let Some(known) = self.not_implemented.iter().find(|known| **known == name) {
            return Err(S3Error::not_implemented(*known));
        }
        match self.elements {
            Some(elements) if !elements.contains(&name) => Err(malformed()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Any {
        #[serde(rename = "A")]
        _a: Option<String>,
    }

    fn check(text: &str, expected: Result<(), S3ErrorCode>) {
        let shape = Shape { root: "Root", elements: Some(&["A"]), not_implemented: &["Later"] };
        let parsed = parse::<Any>(text.as_bytes(), &shape, 1000).map(drop).map_err(|error| error.code());
        assert_eq!(parsed, expected, "{text}");
    }

    #[test]
    fn nothing_in_a_document_is_ignored() {
        let malformed = Err(S3ErrorCode::MalformedXml);
        check(
            "<?xml version=\"1.0\"?>\n<!-- c --><Root xmlns=\"u\"> <p:A xmlns:p=\"v\">x</p:A>\n</Root>\n<!-- d -->\n",
            Ok(()),
        );
        check("<Root/>", Ok(()));
        check("<Root><a>x</a></Root>", malformed);
        check("<Root><A><B/></A></Root>", malformed);
        check("<Root/>x", malformed);
        check("<Root/><Root/>", malformed);
        check("x<Root/>", malformed);
        check("<Root/>&amp;", malformed);
        check("<Root/><![CDATA[x]]>", malformed);
        check("<Root>", malformed);
        check("<!DOCTYPE a><Root/>", malformed);
        check("<Root><Later/></Root>", Err(S3ErrorCode::NotImplemented));
        check("", malformed);
    }
}
