//! ListObjectVersions.

use super::encoding::KeyEncoding;
use super::entry::{ListedObject, write_common_prefixes};
use super::writer::XmlWriter;

/// A version or a delete marker in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion<'a> {
    /// Of a delete marker only key, time and owner are used.
    pub object: ListedObject<'a>,
    pub id: String,
    /// Whether it is the newest version of its key.
    pub is_latest: bool,
    pub is_marker: bool,
}

impl ListedVersion<'_> {
    fn write(&self, encoding: KeyEncoding, xml: &mut XmlWriter) {
        let name = if self.is_marker { "DeleteMarker" } else { "Version" };
        xml.element(name, |xml| {
            xml.key("Key", self.object.key, encoding);
            xml.text("VersionId", &self.id);
            xml.value("IsLatest", self.is_latest);
            if self.is_marker {
                self.object.write_marker_attributes(xml);
            } else {
                self.object.write_attributes(xml);
            }
        });
    }
}

/// The response of ListObjectVersions. Source: S3 API reference, "ListObjectVersions".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListVersionsResult<'a> {
    pub name: &'a str,
    /// As requested; empty if absent.
    pub prefix: &'a str,
    /// As requested; empty if absent.
    pub key_marker: &'a str,
    /// As requested; empty if absent.
    pub version_id_marker: &'a str,
    /// Key where the next page begins.
    pub next_key_marker: Option<&'a str>,
    /// Version where the next page begins; `None` after a common prefix.
    pub next_version_id_marker: Option<String>,
    pub delimiter: Option<&'a str>,
    /// Page size limit.
    pub max_keys: u32,
    pub encoding: KeyEncoding,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// Versions and delete markers of the page: by key, the newest first.
    pub versions: Vec<ListedVersion<'a>>,
    /// In order.
    pub common_prefixes: Vec<&'a str>,
}

impl ListVersionsResult<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListVersionsResult", |xml| {
            xml.text("Name", self.name);
            xml.key("Prefix", self.prefix, self.encoding);
            xml.key("KeyMarker", self.key_marker, self.encoding);
            xml.text("VersionIdMarker", self.version_id_marker);
            xml.optional_key("NextKeyMarker", self.next_key_marker, self.encoding);
            xml.optional("NextVersionIdMarker", self.next_version_id_marker.as_deref());
            xml.value("MaxKeys", self.max_keys);
            xml.optional_key("Delimiter", self.delimiter, self.encoding);
            xml.encoding_type(self.encoding);
            xml.value("IsTruncated", self.is_truncated);
            for version in &self.versions {
                version.write(self.encoding, xml);
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
    use crate::xml::{ListedChecksum, Owner};

    fn object(key: &str) -> ListedObject<'_> {
        let checksum = ListedChecksum { algorithm: ChecksumAlgorithm::Crc32, kind: ChecksumType::FullObject };
        ListedObject {
            key,
            last_modified_ms: 1_369_353_600_000,
            etag: ETag::single([0xab; 16]),
            size: 7,
            storage_class: "STANDARD",
            checksum: Some(checksum),
            owner: Some(Owner { id: "id", display_name: "name" }),
        }
    }

    fn page<'a>() -> ListVersionsResult<'a> {
        ListVersionsResult {
            name: "b",
            prefix: "",
            key_marker: "",
            version_id_marker: "",
            next_key_marker: None,
            next_version_id_marker: None,
            delimiter: None,
            max_keys: 1000,
            encoding: KeyEncoding::Raw,
            is_truncated: false,
            versions: Vec::new(),
            common_prefixes: Vec::new(),
        }
    }

    #[test]
    fn versions_and_delete_markers_keep_their_order() {
        let result = ListVersionsResult {
            prefix: "a ",
            key_marker: "a a",
            version_id_marker: "null",
            next_key_marker: Some("a b"),
            next_version_id_marker: Some("7".to_owned()),
            delimiter: Some("/"),
            max_keys: 3,
            encoding: KeyEncoding::Url,
            is_truncated: true,
            versions: vec![
                ListedVersion { object: object("a b"), id: "42".to_owned(), is_latest: true, is_marker: true },
                ListedVersion { object: object("a b"), id: "null".to_owned(), is_latest: false, is_marker: false },
            ],
            common_prefixes: vec!["a c/"],
            ..page()
        };
        assert_eq!(
            result.to_xml(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name><Prefix>a%20</Prefix>\
             <KeyMarker>a%20a</KeyMarker><VersionIdMarker>null</VersionIdMarker><NextKeyMarker>a%20b</NextKeyMarker>\
             <NextVersionIdMarker>7</NextVersionIdMarker><MaxKeys>3</MaxKeys><Delimiter>/</Delimiter>\
             <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
             <DeleteMarker><Key>a%20b</Key><VersionId>42</VersionId><IsLatest>true</IsLatest>\
             <LastModified>2013-05-24T00:00:00.000Z</LastModified>\
             <Owner><ID>id</ID><DisplayName>name</DisplayName></Owner></DeleteMarker>\
             <Version><Key>a%20b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>\
             <LastModified>2013-05-24T00:00:00.000Z</LastModified>\
             <ETag>&quot;abababababababababababababababab&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>\
             <ChecksumType>FULL_OBJECT</ChecksumType><Size>7</Size><StorageClass>STANDARD</StorageClass>\
             <Owner><ID>id</ID><DisplayName>name</DisplayName></Owner></Version>\
             <CommonPrefixes><Prefix>a%20c/</Prefix></CommonPrefixes></ListVersionsResult>"
        );
    }

    #[test]
    fn an_empty_page_has_the_mandatory_elements() {
        assert!(page().to_xml().ends_with(
            "<Name>b</Name><Prefix></Prefix><KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker>\
             <MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListVersionsResult>"
        ));
    }
}
