//! CompleteMultipartUpload.

use cairn_core::etag::ETag;
use cairn_core::limits::PART_NUMBER_MAX;
use serde::Deserialize;

use super::document::{self, Shape};
use super::writer::XmlWriter;
use crate::body::{Checksum, ChecksumAlgorithm};
use crate::error::S3Error;

/// Largest document, in bytes: 10,000 parts with an entity tag and a checksum each fit.
pub const COMPLETE_BYTES_MAX: usize = 4 << 20;

const SHAPE: Shape = Shape {
    root: "CompleteMultipartUpload",
    elements: Some(&[
        "ChecksumCRC32",
        "ChecksumCRC32C",
        "ChecksumCRC64NVME",
        "ChecksumSHA1",
        "ChecksumSHA256",
        "ETag",
        "Part",
        "PartNumber",
    ]),
    not_implemented: &["ChecksumMD5", "ChecksumSHA512", "ChecksumXXHASH128", "ChecksumXXHASH3", "ChecksumXXHASH64"],
};

/// A part that the client lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Not yet checked against the limits.
    pub number: u64,
    /// As sent, with or without quotes.
    pub etag: String,
    /// In base64, as sent.
    pub checksums: Vec<(ChecksumAlgorithm, String)>,
}

/// The body of CompleteMultipartUpload. Source: S3 API reference, "CompleteMultipartUpload".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteMultipartUpload {
    /// One to 10,000 parts, in the order of the document.
    pub parts: Vec<CompletedPart>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PartElement {
    part_number: u64,
    #[serde(rename = "ETag")]
    etag: String,
    #[serde(rename = "ChecksumCRC32")]
    crc32: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    crc32c: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    crc64nvme: Option<String>,
    #[serde(rename = "ChecksumSHA1")]
    sha1: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "Part", default)]
    parts: Vec<PartElement>,
}

impl From<PartElement> for CompletedPart {
    fn from(part: PartElement) -> Self {
        let checksums = [
            (ChecksumAlgorithm::Crc32, part.crc32),
            (ChecksumAlgorithm::Crc32c, part.crc32c),
            (ChecksumAlgorithm::Crc64Nvme, part.crc64nvme),
            (ChecksumAlgorithm::Sha1, part.sha1),
            (ChecksumAlgorithm::Sha256, part.sha256),
        ];
        let checksums = checksums.into_iter().filter_map(|(algorithm, value)| Some((algorithm, value?))).collect();
        Self { number: part.part_number, etag: part.etag, checksums }
    }
}

impl CompleteMultipartUpload {
    pub fn parse(body: &[u8]) -> Result<Self, S3Error> {
        let document: Document = document::parse(body, &SHAPE, COMPLETE_BYTES_MAX)?;
        if document.parts.is_empty() || document.parts.len() > PART_NUMBER_MAX as usize {
            return Err(document::malformed());
        }
        Ok(Self { parts: document.parts.into_iter().map(CompletedPart::from).collect() })
    }
}

/// The response of CompleteMultipartUpload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteMultipartUploadResult<'a> {
    /// URL of the new object.
    pub location: &'a str,
    pub bucket: &'a str,
    pub key: &'a str,
    pub etag: ETag,
    pub checksum: Option<&'a Checksum>,
}

impl CompleteMultipartUploadResult<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("CompleteMultipartUploadResult", |xml| {
            xml.text("Location", self.location);
            xml.text("Bucket", self.bucket);
            xml.text("Key", self.key);
            xml.etag("ETag", self.etag);
            xml.checksum_and_type(self.checksum);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::ChecksumType;
    use crate::error::S3ErrorCode;

    #[test]
    fn parts_are_read_in_order_with_their_checksums() {
        let body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part>\
                    <ETag>&quot;e1&quot;</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32><PartNumber>2</PartNumber></Part>\
                    <Part><PartNumber>1</PartNumber><ETag>e2</ETag></Part></CompleteMultipartUpload>";
        let parsed = CompleteMultipartUpload::parse(body.as_bytes()).unwrap();
        assert_eq!(
            parsed.parts,
            [
                CompletedPart {
                    number: 2,
                    etag: "\"e1\"".to_owned(),
                    checksums: vec![(ChecksumAlgorithm::Crc32, "AAAAAA==".to_owned())],
                },
                CompletedPart { number: 1, etag: "e2".to_owned(), checksums: vec![] },
            ]
        );
    }

    #[test]
    fn a_document_without_parts_is_malformed() {
        for body in [
            "",
            "<CompleteMultipartUpload/>",
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        ] {
            let error = CompleteMultipartUpload::parse(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), S3ErrorCode::MalformedXml, "{body}");
        }
    }

    #[test]
    fn ten_thousand_parts_fit() {
        let part = |number: u32| {
            format!(
                "<Part><ETag>&quot;{}&quot;</ETag><ChecksumSHA256>{}</ChecksumSHA256><PartNumber>{number}</PartNumber></Part>",
                "e".repeat(32),
                "s".repeat(44)
            )
        };
        let parts: String = (1..=10_000).map(part).collect();
        let body = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        assert_eq!(CompleteMultipartUpload::parse(body.as_bytes()).unwrap().parts.len(), 10_000);
    }

    #[test]
    fn the_response_names_the_object() {
        let checksum = Checksum {
            algorithm: ChecksumAlgorithm::Crc32c,
            kind: ChecksumType::Composite,
            base64: "AAAAAA==-2".to_owned(),
        };
        let result = CompleteMultipartUploadResult {
            location: "http://h/b/k",
            bucket: "b",
            key: "k",
            etag: ETag { md5: [0; 16], parts: Some(2) },
            checksum: Some(&checksum),
        };
        assert!(result.to_xml().ends_with(
            "<Location>http://h/b/k</Location><Bucket>b</Bucket><Key>k</Key>\
             <ETag>&quot;00000000000000000000000000000000-2&quot;</ETag><ChecksumCRC32C>AAAAAA==-2</ChecksumCRC32C>\
             <ChecksumType>COMPOSITE</ChecksumType></CompleteMultipartUploadResult>"
        ));
    }
}
