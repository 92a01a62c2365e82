//! CreateMultipartUpload.

use super::XmlWriter;

/// The answer to CreateMultipartUpload. Source: S3 API reference, "CreateMultipartUpload".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitiateMultipartUploadResult<'a> {
    /// The bucket.
    pub bucket: &'a str,
    /// The key.
    pub key: &'a str,
    /// The upload.
    pub upload_id: &'a str,
}

impl InitiateMultipartUploadResult<'_> {
    /// The document.
    pub fn to_xml(&self) -> String {
        XmlWriter::document("InitiateMultipartUploadResult", |xml| {
            xml.text("Bucket", self.bucket);
            xml.text("Key", self.key);
            xml.text("UploadId", self.upload_id);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_the_upload() {
        let result = InitiateMultipartUploadResult { bucket: "b", key: "k&", upload_id: "u" };
        assert!(
            result
                .to_xml()
                .ends_with("<Bucket>b</Bucket><Key>k&amp;</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>")
        );
    }
}
