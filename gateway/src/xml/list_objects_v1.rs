//! ListObjects.

use super::entry::write_common_prefixes;
use super::{KeyEncoding, ListedObject, XmlWriter};

/// The answer to ListObjects. Source: S3 API reference, "ListObjects".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBucketResultV1<'a> {
    /// The bucket.
    pub name: &'a str,
    /// As asked for; empty when not.
    pub prefix: &'a str,
    /// As asked for; empty when not.
    pub marker: &'a str,
    /// Where the next page begins; AWS sends it with a delimiter only.
    pub next_marker: Option<&'a str>,
    /// As asked for.
    pub delimiter: Option<&'a str>,
    /// Largest number of entries.
    pub max_keys: u32,
    /// As asked for.
    pub encoding: KeyEncoding,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// Objects of the page, in order.
    pub objects: Vec<ListedObject<'a>>,
    /// Common prefixes of the page, in order.
    pub common_prefixes: Vec<&'a str>,
}

impl ListBucketResultV1<'_> {
    /// The document.
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", self.name);
            let encoding = if decodes_to_itself(self.prefix) { KeyEncoding::Raw } else { self.encoding };
            xml.key("Prefix", self.prefix, encoding);
            xml.key("Marker", self.marker, self.encoding);
            xml.optional_key("NextMarker", self.next_marker, self.encoding);
            xml.value("MaxKeys", self.max_keys);
            xml.optional_key("Delimiter", self.delimiter, self.encoding);
            self.encoding.write(xml);
            xml.value("IsTruncated", self.is_truncated);
            for object in &self.objects {
                object.write_contents(self.encoding, xml);
            }
            write_common_prefixes(&self.common_prefixes, self.encoding, xml);
        })
    }
}

/// Whether a client that decodes the prefix and one that does not read the same. AWS's SDK for Java decodes it, and goes
/// on with it to the next page; botocore does not (ceph/s3-tests, `test_bucket_list_prefix_unreadable`).
fn decodes_to_itself(prefix: &str) -> bool {
    let in_xml = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    prefix.chars().all(|c| in_xml(c) && !matches!(c, '%' | '+' | '\u{fffe}' | '\u{ffff}'))
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;

    use super::*;
    use crate::xml::Owner;

    #[test]
    fn the_prefix_is_encoded_only_where_that_matters() {
        for (prefix, same) in [("a b/ü", true), ("\n", true), ("a+b", false), ("100%", false), ("\u{1}", false)] {
            assert_eq!(decodes_to_itself(prefix), same, "{prefix:?}");
        }
    }

    #[test]
    fn the_document_has_aws_elements_in_aws_order() {
        let result = ListBucketResultV1 {
            name: "b",
            prefix: "a b",
            marker: "",
            next_marker: Some("a b/"),
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
