//! What both versions of ListObjects return.

use super::encoding::KeyEncoding;
use super::entry::{ListedObject, write_common_prefixes};
use super::writer::XmlWriter;

/// One page of a listing of objects. Source: S3 API reference, "ListObjects" and "ListObjectsV2".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPage<'a> {
    /// Name of the bucket.
    pub name: &'a str,
    /// As requested; empty if absent.
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Page size limit.
    pub max_keys: u32,
    pub encoding: KeyEncoding,
    /// Whether there is another page.
    pub is_truncated: bool,
    /// In the order of their keys.
    pub objects: Vec<ListedObject<'a>>,
    pub common_prefixes: Vec<&'a str>,
}

impl ListedPage<'_> {
    /// Writes everything that follows the elements in which the two versions differ.
    pub(super) fn write_entries(&self, xml: &mut XmlWriter) {
        xml.value("MaxKeys", self.max_keys);
        xml.optional_key("Delimiter", self.delimiter, self.encoding);
        xml.encoding_type(self.encoding);
        xml.value("IsTruncated", self.is_truncated);
        for object in &self.objects {
            object.write_contents(self.encoding, xml);
        }
        write_common_prefixes(&self.common_prefixes, self.encoding, xml);
    }
}
