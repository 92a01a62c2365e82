//! CreateMultipartUpload.

use super::writer::XmlWriter;

/// The response of CreateMultipartUpload. Source: S3 API reference, "CreateMultipartUpload".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InitiateMultipartUploadResult<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    pub upload_id: &'a str,
}

impl InitiateMultipartUploadResult<'_> {
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
