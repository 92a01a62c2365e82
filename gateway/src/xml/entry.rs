//! Elements that several listings have in common.

use cairn_core::etag::ETag;

use super::encoding::KeyEncoding;
use super::writer::XmlWriter;
use crate::body::{ChecksumAlgorithm, ChecksumType};

/// Who owns a bucket, an object or an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Canonical user id.
    pub id: &'a str,
    pub display_name: &'a str,
}

impl Owner<'_> {
    pub(super) fn write(&self, element: &str, xml: &mut XmlWriter) {
        xml.element(element, |xml| {
            xml.text("ID", self.id);
            xml.text("DisplayName", self.display_name);
        });
    }
}

/// What a listing says of the checksum of an object, or of the checksum that an upload will produce, without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedChecksum {
    pub algorithm: ChecksumAlgorithm,
    pub kind: ChecksumType,
}

impl ListedChecksum {
    /// The checksum that an upload announced; `None` if it announced none, or one that this version does not know.
    pub fn announced(algorithm: Option<&str>, is_composite: bool) -> Option<Self> {
        Some(Self { algorithm: ChecksumAlgorithm::parse(algorithm?)?, kind: ChecksumType::of_multipart(is_composite) })
    }

    pub(super) fn write(self, xml: &mut XmlWriter) {
        xml.text("ChecksumAlgorithm", self.algorithm.as_str());
        xml.text("ChecksumType", self.kind.as_str());
    }
}

/// An object in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedObject<'a> {
    pub key: &'a str,
    /// Milliseconds since the Unix epoch.
    pub last_modified_ms: u64,
    pub etag: ETag,
    /// In bytes.
    pub size: u64,
    /// Storage class, such as `STANDARD`.
    pub storage_class: &'a str,
    pub checksum: Option<ListedChecksum>,
    /// `None` if the listing does not show owners.
    pub owner: Option<Owner<'a>>,
}

impl ListedObject<'_> {
    pub(super) fn write_contents(&self, encoding: KeyEncoding, xml: &mut XmlWriter) {
        xml.element("Contents", |xml| {
            xml.key("Key", self.key, encoding);
            self.write_attributes(xml);
        });
    }

    /// Everything but the key, which in a listing of versions is followed by other elements.
    pub(super) fn write_attributes(&self, xml: &mut XmlWriter) {
        xml.time("LastModified", self.last_modified_ms);
        xml.etag("ETag", self.etag);
        if let Some(checksum) = self.checksum {
            checksum.write(xml);
        }
        xml.value("Size", self.size);
        xml.text("StorageClass", self.storage_class);
        self.write_owner(xml);
    }

    /// Everything of a delete marker but its key.
    pub(super) fn write_marker_attributes(&self, xml: &mut XmlWriter) {
        xml.time("LastModified", self.last_modified_ms);
        self.write_owner(xml);
    }

    fn write_owner(&self, xml: &mut XmlWriter) {
        if let Some(owner) = &self.owner {
            owner.write("Owner", xml);
        }
    }
}

pub(super) fn write_common_prefixes(prefixes: &[&str], encoding: KeyEncoding, xml: &mut XmlWriter) {
    for prefix in prefixes {
        xml.element("CommonPrefixes", |xml| xml.key("Prefix", prefix, encoding));
    }
}
