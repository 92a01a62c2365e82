//! GetObjectAttributes.

use cairn_core::etag::ETag;

use super::writer::XmlWriter;
use crate::body::Checksum;

/// The response of GetObjectAttributes: the requested attributes that exist. Source: S3 API reference,
/// "GetObjectAttributes".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectAttributes<'a> {
    pub etag: Option<ETag>,
    pub checksum: Option<&'a Checksum>,
    /// How many parts it was uploaded in.
    pub parts_count: Option<u32>,
    /// Storage class, such as `STANDARD`.
    pub storage_class: Option<&'a str>,
    /// In bytes.
    pub size: Option<u64>,
}

impl ObjectAttributes<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("GetObjectAttributesResponse", |xml| {
            if let Some(etag) = self.etag {
                // The only document in which AWS writes the tag without quotes.
                xml.value("ETag", etag);
            }
            if self.checksum.is_some() {
                xml.element("Checksum", |xml| xml.checksum_and_type(self.checksum));
            }
            if let Some(count) = self.parts_count {
                xml.element("ObjectParts", |xml| xml.value("PartsCount", count));
            }
            xml.optional("StorageClass", self.storage_class);
            if let Some(size) = self.size {
                xml.value("ObjectSize", size);
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requested_attributes_are_written() {
        let check = |attributes: ObjectAttributes<'_>, inner: &str| {
            assert!(attributes.to_xml().ends_with(&format!("\">{inner}</GetObjectAttributesResponse>")), "{inner}");
        };
        let nothing = ObjectAttributes::default();
        check(nothing.clone(), "");
        let etag = Some(ETag::single([0; 16]));
        let inner = "<ETag>00000000000000000000000000000000</ETag><ObjectSize>9</ObjectSize>";
        check(ObjectAttributes { etag, size: Some(9), ..nothing.clone() }, inner);
        check(
            ObjectAttributes { parts_count: Some(3), ..nothing },
            "<ObjectParts><PartsCount>3</PartsCount></ObjectParts>",
        );
    }
}
