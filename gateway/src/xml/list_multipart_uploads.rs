//! ListMultipartUploads.

use super::entry::write_common_prefixes;
use super::{KeyEncoding, Owner, XmlWriter};
use crate::body::{ChecksumAlgorithm, ChecksumType};

/// An upload in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedUpload<'a> {
    /// The key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a str,
    /// Milliseconds since the Unix epoch.
    pub initiated_ms: u64,
    /// Who began it, and who will own the object.
    pub owner: Owner<'a>,
    /// Storage class, such as `STANDARD`.
    pub storage_class: &'a str,
    /// What the upload was begun with.
    pub checksum: Option<(ChecksumAlgorithm, ChecksumType)>,
}

/// The answer to ListMultipartUploads. Source: S3 API reference, "ListMultipartUploads".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMultipartUploadsResult<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// As asked for; empty when not.
    pub key_marker: &'a str,
    /// As asked for; empty when not.
    pub upload_id_marker: &'a str,
    /// Key where the next page begins.
    pub next_key_marker: Option<&'a str>,
    /// Upload where the next page begins.
    pub next_upload_id_marker: Option<&'a str>,
    /// As asked for; empty when not.
    pub prefix: &'a str,
    /// As asked for.
    pub delimiter: Option<&'a str>,
    /// As asked for.
    pub encoding: KeyEncoding,
    /// Largest number of entries.
    pub max_uploads: u32,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// Uploads of the page, by key and then by time.
    pub uploads: Vec<ListedUpload<'a>>,
    /// Common prefixes of the page, in order.
    pub common_prefixes: Vec<&'a str>,
}

impl ListMultipartUploadsResult<'_> {
    /// The document.
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListMultipartUploadsResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.key("KeyMarker", self.key_marker, self.encoding);
            xml.text("UploadIdMarker", self.upload_id_marker);
            xml.optional_key("NextKeyMarker", self.next_key_marker, self.encoding);
            xml.optional("NextUploadIdMarker", self.next_upload_id_marker);
            xml.key("Prefix", self.prefix, self.encoding);
            xml.optional_key("Delimiter", self.delimiter, self.encoding);
            self.encoding.write(xml);
            xml.value("MaxUploads", self.max_uploads);
            xml.value("IsTruncated", self.is_truncated);
            for upload in &self.uploads {
                xml.element("Upload", |xml| {
                    xml.key("Key", upload.key, self.encoding);
                    xml.text("UploadId", upload.upload_id);
                    upload.owner.write("Initiator", xml);
                    upload.owner.write("Owner", xml);
                    xml.text("StorageClass", upload.storage_class);
                    xml.time("Initiated", upload.initiated_ms);
                    if let Some((algorithm, kind)) = upload.checksum {
                        xml.text("ChecksumAlgorithm", algorithm.as_str());
                        xml.text("ChecksumType", kind.as_str());
                    }
                });
            }
            write_common_prefixes(&self.common_prefixes, self.encoding, xml);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_uploads_and_prefixes() {
        let owner = Owner { id: "i", display_name: "n" };
        let upload = ListedUpload {
            key: "k",
            upload_id: "u",
            initiated_ms: 0,
            owner,
            storage_class: "STANDARD",
            checksum: Some((ChecksumAlgorithm::Crc32c, ChecksumType::Composite)),
        };
        let result = ListMultipartUploadsResult {
            bucket: "b",
            key_marker: "",
            upload_id_marker: "",
            next_key_marker: Some("k"),
            next_upload_id_marker: Some("u"),
            prefix: "",
            delimiter: Some("/"),
            encoding: KeyEncoding::Raw,
            max_uploads: 1,
            is_truncated: true,
            uploads: vec![upload],
            common_prefixes: vec!["p/"],
        };
        let owner = "<ID>i</ID><DisplayName>n</DisplayName>";
        assert!(result.to_xml().ends_with(&format!(
            "<Bucket>b</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><NextKeyMarker>k</NextKeyMarker>\
             <NextUploadIdMarker>u</NextUploadIdMarker><Prefix></Prefix><Delimiter>/</Delimiter><MaxUploads>1</MaxUploads>\
             <IsTruncated>true</IsTruncated><Upload><Key>k</Key><UploadId>u</UploadId><Initiator>{owner}</Initiator>\
             <Owner>{owner}</Owner><StorageClass>STANDARD</StorageClass><Initiated>1970-01-01T00:00:00.000Z</Initiated>\
             <ChecksumAlgorithm>CRC32C</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType></Upload>\
             <CommonPrefixes><Prefix>p/</Prefix></CommonPrefixes></ListMultipartUploadsResult>"
        )));
    }
}
