//! The document of lifecycle rules.

use cairn_core::lifecycle::Rule;

use super::{DocumentError, SettingDocument};

/// Format 1: a CBOR array of rules.
const FORMAT: u16 = 1;

/// The document that holds `rules`.
pub fn lifecycle_document(rules: &[Rule]) -> SettingDocument {
    let mut bytes = Vec::with_capacity(64 * rules.len());
    // Writing to a Vec cannot fail.
    let _ = minicbor::encode(rules, &mut bytes);
    SettingDocument { format: FORMAT, bytes }
}

/// The rules in a document.
pub fn read_lifecycle(document: &SettingDocument) -> Result<Vec<Rule>, DocumentError> {
    if document.format != FORMAT {
        return Err(DocumentError::Newer { found: document.format, known: FORMAT });
    }
    minicbor::decode(&document.bytes).map_err(|e| DocumentError::Damaged(e.to_string()))
}

#[cfg(test)]
mod tests {
    use cairn_core::lifecycle::{Expiration, Filter, NoncurrentExpiration, Tag};

    use super::*;

    /// I30: documents on disk stay readable.
    #[test]
    fn rules_keep_their_encoding() {
        let tags = vec![Tag { key: "k".to_owned(), value: "v".to_owned() }];
        let filter = Filter { tags, larger_than: Some(1), ..Filter::of_prefix("p") };
        let rule = Rule {
            id: "r".to_owned(),
            enabled: true,
            filter,
            expiration: Some(Expiration::Days(3)),
            noncurrent: Some(NoncurrentExpiration { days: 4, newer_kept: Some(5) }),
            abort_uploads_days: Some(6),
        };
        let document = lifecycle_document(std::slice::from_ref(&rule));
        let golden = b"\x81\xa6\x00\x61r\x01\xf5\x02\xa4\x00\x01\x01\x61p\x02\x81\x82\x61k\x61v\x03\x01\
                       \x03\x82\x00\x81\x03\x04\x82\x04\x05\x05\x06";
        assert_eq!((document.format, document.bytes.as_slice()), (1, golden.as_slice()));
        assert_eq!(read_lifecycle(&document), Ok(vec![rule]));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_empty() {
        let newer = SettingDocument { format: 2, bytes: vec![0x80] };
        assert_eq!(read_lifecycle(&newer), Err(DocumentError::Newer { found: 2, known: 1 }));
        for bytes in [vec![], vec![0x81], vec![0xa0]] {
            let damaged = read_lifecycle(&SettingDocument { format: 1, bytes });
            assert!(matches!(damaged, Err(DocumentError::Damaged(_))), "{damaged:?}");
        }
    }
}
