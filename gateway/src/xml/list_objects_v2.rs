//! ListObjectsV2.

use super::entry::write_common_prefixes;
use super::{KeyEncoding, ListedObject, XmlWriter};

/// The answer to ListObjectsV2. Source: S3 API reference, "ListObjectsV2".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBucketResultV2<'a> {
    /// The bucket.
    pub name: &'a str,
    /// As asked for; empty when not.
    pub prefix: &'a str,
    /// As asked for.
    pub delimiter: Option<&'a str>,
    /// As asked for.
    pub start_after: Option<&'a str>,
    /// As asked for, also when empty.
    pub continuation_token: Option<&'a str>,
    /// Where the next page begins.
    pub next_continuation_token: Option<&'a str>,
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

impl ListBucketResultV2<'_> {
    /// The document.
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", self.name);
            xml.key("Prefix", self.prefix, self.encoding);
            xml.optional_key("StartAfter", self.start_after, self.encoding);
            xml.optional("ContinuationToken", self.continuation_token);
            xml.optional("NextContinuationToken", self.next_continuation_token);
            xml.value("KeyCount", self.objects.len() + self.common_prefixes.len());
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

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;

    use super::*;
    use crate::body::{ChecksumAlgorithm, ChecksumType};
    use crate::xml::ListedChecksum;

    #[test]
    fn the_document_counts_objects_and_prefixes() {
        let result = ListBucketResultV2 {
            name: "b",
            prefix: "",
            delimiter: None,
            start_after: Some("\u{1}"),
            continuation_token: Some(""),
            next_continuation_token: None,
            max_keys: 1000,
            encoding: KeyEncoding::Raw,
            is_truncated: false,
            objects: vec![ListedObject {
                key: "k",
                last_modified_ms: 0,
                etag: ETag::single([0; 16]),
                size: 0,
                storage_class: "STANDARD",
                checksum: Some(ListedChecksum {
                    algorithm: ChecksumAlgorithm::Crc64Nvme,
                    kind: ChecksumType::FullObject,
                }),
                owner: None,
            }],
            common_prefixes: vec!["p/"],
        };
        assert!(result.to_xml().ends_with(
            "<Name>b</Name><Prefix></Prefix><StartAfter>&#x1;</StartAfter><ContinuationToken></ContinuationToken>\
             <KeyCount>2</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents><Key>k</Key>\
             <LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;00000000000000000000000000000000&quot;</ETag>\
             <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>0</Size>\
             <StorageClass>STANDARD</StorageClass></Contents><CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes>\
             </ListBucketResult>"
        ));
    }
}
