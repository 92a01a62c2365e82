//! Parses the documents that clients send.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::DeserializeOwned;

use crate::error::{S3Error, S3ErrorCode};

/// Parses a document with the given root element. Namespaces and prefixes are ignored: clients disagree on them. A
/// document type declaration is refused, so no entities are expanded other than XML's own.
pub(super) fn parse<T: DeserializeOwned>(document: &[u8], root: &str, bytes_max: usize) -> Result<T, S3Error> {
    if document.len() > bytes_max {
        return Err(S3ErrorCode::MaxMessageLengthExceeded.into());
    }
    let text = std::str::from_utf8(document).map_err(|_| malformed())?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    check_root(text, root)?;
    quick_xml::de::from_str(text).map_err(|_| malformed())
}

pub(super) fn malformed() -> S3Error {
    S3ErrorCode::MalformedXml.into()
}

fn check_root(text: &str, root: &str) -> Result<(), S3Error> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().map_err(|_| malformed())? {
            Event::Start(element) | Event::Empty(element) => {
                return if element.local_name().as_ref() == root { Ok(()) } else { Err(malformed()) };
            }
            Event::DocType(_) | Event::Eof => return Err(malformed()),
            _ => {}
        }
    }
}
