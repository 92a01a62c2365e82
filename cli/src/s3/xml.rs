//! XML documents that the client reads, with S3's names.

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ErrorDocument {
    pub(super) code: String,
    pub(super) message: String,
    pub(super) request_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListBucketResult {
    pub(super) contents: Vec<Contents>,
    pub(super) common_prefixes: Vec<CommonPrefix>,
    pub(super) is_truncated: bool,
    pub(super) next_continuation_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Contents {
    pub(super) key: String,
    pub(super) size: u64,
    #[serde(rename = "ETag")]
    pub(super) etag: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CommonPrefix {
    pub(super) prefix: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ListVersionsResult {
    #[serde(rename = "$value")]
    pub(super) elements: Vec<VersionsElement>,
}

/// Versions and delete markers share one order.
#[derive(Debug, Deserialize)]
pub(super) enum VersionsElement {
    Version(VersionEntry),
    DeleteMarker(VersionEntry),
    CommonPrefixes(CommonPrefix),
    IsTruncated(bool),
    NextKeyMarker(String),
    NextVersionIdMarker(String),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct VersionEntry {
    pub(super) key: String,
    pub(super) version_id: String,
    pub(super) is_latest: bool,
    /// Absent for delete markers, like the next field.
    #[serde(default)]
    pub(super) size: u64,
    #[serde(rename = "ETag", default)]
    pub(super) etag: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct InitiateMultipartUploadResult {
    pub(super) upload_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CompleteMultipartUploadResult {
    #[serde(rename = "ETag")]
    pub(super) etag: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ListMultipartUploadsResult {
    pub(super) upload: Vec<Upload>,
    pub(super) is_truncated: bool,
    pub(super) next_key_marker: String,
    pub(super) next_upload_id_marker: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Upload {
    pub(super) key: String,
    pub(super) upload_id: String,
}
