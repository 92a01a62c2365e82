//! ListObjectsV2.

use super::listed_page::ListedPage;
use super::writer::XmlWriter;

/// The response of ListObjectsV2. Source: S3 API reference, "ListObjectsV2".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBucketResultV2<'a> {
    pub page: ListedPage<'a>,
    pub start_after: Option<&'a str>,
    /// As requested, even if empty.
    pub continuation_token: Option<&'a str>,
    /// Where the next page begins.
    pub next_continuation_token: Option<&'a str>,
}

impl ListBucketResultV2<'_> {
    pub fn to_xml(&self) -> String {
        let page = &self.page;
        XmlWriter::document("ListBucketResult", |xml| {
            xml.text("Name", page.name);
            xml.key("Prefix", page.prefix, page.encoding);
            xml.optional_key("StartAfter", self.start_after, page.encoding);
            xml.optional("ContinuationToken", self.continuation_token);
            xml.optional("NextContinuationToken", self.next_continuation_token);
            xml.value("KeyCount", page.objects.len() + page.common_prefixes.len());
            page.write_entries(xml);
        })
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;

    use super::*;
    use crate::body::{ChecksumAlgorithm, ChecksumType};
    use crate::xml::{KeyEncoding, ListedChecksum, ListedObject};

    #[test]
    fn the_document_counts_objects_and_prefixes() {
        let page = ListedPage {
            name: "b",
            prefix: "",
            delimiter: None,
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
        let result = ListBucketResultV2 {
            page,
            start_after: Some("\u{1}"),
            continuation_token: Some(""),
            next_continuation_token: None,
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
