//! ListParts.

use cairn_core::etag::ETag;

use super::entry::{ListedChecksum, Owner};
use super::writer::XmlWriter;
use crate::body::Checksum;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPart {
    pub number: u32,
    /// Milliseconds since the Unix epoch.
    pub last_modified_ms: u64,
    pub etag: ETag,
    /// In bytes.
    pub size: u64,
    pub checksum: Option<Checksum>,
}

/// The response of ListParts. Source: S3 API reference, "ListParts".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListPartsResult<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub upload_id: &'a str,
    /// Number after which the page begins, as requested.
    pub part_number_marker: u32,
    /// Number of the last part of the page.
    pub next_part_number_marker: Option<u32>,
    /// Page size limit.
    pub max_parts: u32,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// Parts of the page, by number.
    pub parts: Vec<ListedPart>,
    /// Who began the upload and will own the object.
    pub owner: Owner<'a>,
    /// Storage class, such as `STANDARD`.
    pub storage_class: &'a str,
    /// As announced when the upload began.
    pub checksum: Option<ListedChecksum>,
}

impl ListPartsResult<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListPartsResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.text("Key", self.key);
            xml.text("UploadId", self.upload_id);
            self.owner.write("Initiator", xml);
            self.owner.write("Owner", xml);
            xml.text("StorageClass", self.storage_class);
            xml.value("PartNumberMarker", self.part_number_marker);
            if let Some(next) = self.next_part_number_marker {
                xml.value("NextPartNumberMarker", next);
            }
            xml.value("MaxParts", self.max_parts);
            xml.value("IsTruncated", self.is_truncated);
            if let Some(checksum) = self.checksum {
                checksum.write(xml);
            }
            for part in &self.parts {
                xml.element("Part", |xml| {
                    xml.value("PartNumber", part.number);
                    xml.time("LastModified", part.last_modified_ms);
                    xml.etag("ETag", part.etag);
                    xml.value("Size", part.size);
                    xml.checksum(part.checksum.as_ref());
                });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{ChecksumAlgorithm, ChecksumType};

    #[test]
    fn the_document_lists_parts_by_number() {
        let part = ListedPart {
            number: 3,
            last_modified_ms: 0,
            etag: ETag::single([0; 16]),
            size: 5,
            checksum: Some(Checksum {
                algorithm: ChecksumAlgorithm::Sha256,
                kind: ChecksumType::FullObject,
                base64: "s=".to_owned(),
            }),
        };
        let result = ListPartsResult {
            bucket: "b",
            key: "k",
            upload_id: "u",
            part_number_marker: 2,
            next_part_number_marker: Some(3),
            max_parts: 1,
            is_truncated: true,
            parts: vec![part],
            owner: Owner { id: "i", display_name: "n" },
            storage_class: "STANDARD",
            checksum: None,
        };
        assert!(result.to_xml().ends_with(
            "<PartNumberMarker>2</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>1</MaxParts>\
             <IsTruncated>true</IsTruncated><Part><PartNumber>3</PartNumber>\
             <LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;00000000000000000000000000000000&quot;</ETag>\
             <Size>5</Size><ChecksumSHA256>s=</ChecksumSHA256></Part></ListPartsResult>"
        ));
    }
}
