//! CopyObject and UploadPartCopy.

use cairn_core::etag::ETag;

use super::writer::XmlWriter;
use crate::body::Checksum;

/// The response of CopyObject. Source: S3 API reference, "CopyObject".
pub fn copy_object_result(etag: ETag, last_modified_ms: u64, checksum: Option<&Checksum>) -> String {
    XmlWriter::document("CopyObjectResult", |xml| {
        xml.etag("ETag", etag);
        xml.time("LastModified", last_modified_ms);
        xml.checksum_and_type(checksum);
    })
}

/// The response of UploadPartCopy. Source: S3 API reference, "UploadPartCopy".
pub fn copy_part_result(etag: ETag, last_modified_ms: u64, checksum: Option<&Checksum>) -> String {
    XmlWriter::document("CopyPartResult", |xml| {
        xml.etag("ETag", etag);
        xml.time("LastModified", last_modified_ms);
        xml.checksum(checksum);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{ChecksumAlgorithm, ChecksumType};

    #[test]
    fn the_documents_have_tag_time_and_checksum() {
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc32,
            kind: ChecksumType::FullObject,
            base64: "AAAAAA==".to_owned(),
        };
        let etag = ETag::single([0; 16]);
        let shared = "<ETag>&quot;00000000000000000000000000000000&quot;</ETag>\
                      <LastModified>1970-01-01T00:00:00.000Z</LastModified><ChecksumCRC32>AAAAAA==</ChecksumCRC32>";
        assert!(
            copy_object_result(etag, 0, Some(&checksum))
                .ends_with(&format!("{shared}<ChecksumType>FULL_OBJECT</ChecksumType></CopyObjectResult>"))
        );
        assert!(copy_part_result(etag, 0, Some(&checksum)).ends_with(&format!("{shared}</CopyPartResult>")));
    }
}
