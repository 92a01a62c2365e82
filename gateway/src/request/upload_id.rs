//! Ids of multipart uploads, which are opaque to clients.

use cairn_core::id::UploadId;

use super::query::Query;
use crate::error::{S3Error, S3ErrorCode};

/// The upload that a request names. A text that is not an id names no upload.
pub(crate) fn requested_upload(query: &Query) -> Result<UploadId, S3Error> {
    parse_upload_id(query.text("uploadId")).ok_or(S3ErrorCode::NoSuchUpload.into())
}

pub(crate) fn upload_id_text(id: UploadId) -> String {
    format!("{:016x}", id.0)
}

/// The inverse of [`upload_id_text`].
pub(crate) fn parse_upload_id(text: &str) -> Option<UploadId> {
    let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(text, 16).ok()).flatten().map(UploadId)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_and_other_texts_name_no_upload() {
        let id = UploadId(0xab);
        assert_eq!(parse_upload_id(&upload_id_text(id)), Some(id));
        for text in ["", "ab", "00000000000000zz", "+0000000000000ab", "00000000000000000ab"] {
            assert_eq!(parse_upload_id(text), None, "{text:?}");
        }
    }
}
