//! ListMultipartUploads.

use super::encoding::KeyEncoding;
use super::entry::{ListedChecksum, Owner, write_common_prefixes};
use super::writer::XmlWriter;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedUpload<'a> {
    pub key: &'a str,
    pub upload_id: &'a str,
    /// Milliseconds since the Unix epoch.
    pub initiated_ms: u64,
    /// Who began it and will own the object.
    pub owner: Owner<'a>,
    /// Storage class, such as `STANDARD`.
    pub storage_class: &'a str,
    /// As announced when the upload began.
    pub checksum: Option<ListedChecksum>,
}

/// The response of ListMultipartUploads. Source: S3 API reference, "ListMultipartUploads".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMultipartUploadsResult<'a> {
    pub bucket: &'a str,
    /// As requested; empty if absent.
    pub key_marker: &'a str,
    /// As requested; empty if absent.
    pub upload_id_marker: &'a str,
    /// Key where the next page begins.
    pub next_key_marker: Option<&'a str>,
    /// Upload where the next page begins.
    pub next_upload_id_marker: Option<&'a str>,
    /// As requested; empty if absent.
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    pub encoding: KeyEncoding,
    /// Page size limit.
    pub max_uploads: u32,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// Uploads of the page, by key and then by time.
    pub uploads: Vec<ListedUpload<'a>>,
    /// In order.
    pub common_prefixes: Vec<&'a str>,
}

impl ListMultipartUploadsResult<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListMultipartUploadsResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.key("KeyMarker", self.key_marker, self.encoding);
            xml.text("UploadIdMarker", self.upload_id_marker);
            xml.optional_key("NextKeyMarker", self.next_key_marker, self.encoding);
            xml.optional("NextUploadIdMarker", self.next_upload_id_marker);
            xml.key("Prefix", self.prefix, self.encoding);
            xml.optional_key("Delimiter", self.delimiter, self.encoding);
            xml.encoding_type(self.encoding);
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
                    if let Some(checksum) = upload.checksum {
                        checksum.write(xml);
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
    use crate::body::{ChecksumAlgorithm, ChecksumType};

    #[test]
    fn the_document_lists_uploads_and_prefixes() {
        let owner = Owner { id: "i", display_name: "n" };
        let upload = ListedUpload {
            key: "k",
            upload_id: "u",
            initiated_ms: 0,
            owner,
            storage_class: "STANDARD",
            checksum: Some(ListedChecksum { algorithm: ChecksumAlgorithm::Crc32c, kind: ChecksumType::Composite }),
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
