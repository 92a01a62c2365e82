//! ListObjects.

use super::encoding::KeyEncoding;
use super::listed_page::ListedPage;
use super::writer::XmlWriter;

/// The response of ListObjects. Source: S3 API reference, "ListObjects".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBucketResultV1<'a> {
    pub page: ListedPage<'a>,
    /// As requested; empty if absent.
    pub marker: &'a str,
    /// Where the next page begins. AWS sends it only with a delimiter.
    pub next_marker: Option<&'a str>,
}

impl ListBucketResultV1<'_> {
    pub fn to_xml(&self) -> String {
        let ListedPage { name, prefix, encoding, .. } = self.page;
        XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", name);
            xml.key("Prefix", prefix, if decodes_to_itself(prefix) { KeyEncoding::Raw } else { encoding });
            xml.key("Marker", self.marker, encoding);
            xml.optional_key("NextMarker", self.next_marker, encoding);
            self.page.write_entries(xml);
        })
    }
}

/// Whether a client that decodes the prefix and one that does not read the same. AWS's SDK for Java decodes it, and
/// requests the next page with it; botocore does not (ceph/s3-tests, `test_bucket_list_prefix_unreadable`).
fn decodes_to_itself(prefix: &str) -> bool {
    let in_xml = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    prefix.chars().all(|c| in_xml(c) && !matches!(c, '%' | '+' | '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;

    use super::*;
    use crate::xml::{ListedObject, Owner};

    #[test]
    fn the_prefix_is_encoded_only_if_decoding_would_change_it() {
        for (prefix, same) in [("a b/ü", true), ("\n", true), ("a+b", false), ("100%", false), ("\u{1}", false)] {
            assert_eq!(decodes_to_itself(prefix), same, "{prefix:?}");
        }
    }

    #[test]
    fn the_document_has_aws_elements_in_aws_order() {
        let page = ListedPage {
            name: "b",
            prefix: "a b",
            delimiter: Some("/"),
            max_keys: 2,
            encoding: KeyEncoding::Url,
            is_truncated: true,
            objects: vec![ListedObject {
                key: "a b",
                last_modified_ms: 1_369_353_600_000,
                etag: ETag { md5: [0xab; 16], parts: Some(2) },
                size: 7,
                storage_class: "STANDARD",
                checksum: None,
                owner: Some(Owner { id: "id", display_name: "name" }),
            }],
            common_prefixes: vec!["a b/"],
        };
        let result = ListBucketResultV1 { page, marker: "", next_marker: Some("a b/") };
        assert!(result.to_xml().ends_with(
            "<Name>b</Name><Prefix>a b</Prefix><Marker></Marker><NextMarker>a%20b/</NextMarker><MaxKeys>2</MaxKeys>\
             <Delimiter>/</Delimiter><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><Contents>\
             <Key>a%20b</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified>\
             <ETag>&quot;abababababababababababababababab-2&quot;</ETag><Size>7</Size>\
             <StorageClass>STANDARD</StorageClass><Owner><ID>id</ID><DisplayName>name</DisplayName></Owner></Contents>\
             <CommonPrefixes><Prefix>a%20b/</Prefix></CommonPrefixes></ListBucketResult>"
        ));
    }
}
