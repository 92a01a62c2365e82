//! ListMultipartUploads.

use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::ListUploads;

use super::list_parts::announced;
use super::owner;
use crate::service::call::{Answer, Call, parse_upload_id, upload_id_text};
use crate::service::respond;
use crate::xml::{KeyEncoding, ListMultipartUploadsResult, ListedUpload};

pub(crate) async fn handle(call: Call) -> Answer {
    let text = |name: &str| call.query.get(name).unwrap_or_default();
    let encoding = KeyEncoding::parse(call.query.get("encoding-type"))?;
    let limit = call.query.page_limit("max-uploads")?;
    let query = ListUploads {
        bucket: call.bucket()?,
        prefix: text("prefix").to_owned(),
        delimiter: text("delimiter").to_owned(),
        key_marker: text("key-marker").to_owned(),
        upload_marker: parse_upload_id(text("upload-id-marker")),
        limit,
    };
    let page = call.gateway.metadata().ask(query).await?;
    let ids: Vec<String> = page.uploads.iter().map(|u| upload_id_text(u.upload)).collect();
    let next_upload = page.next.as_ref().and_then(|(_, upload)| upload.map(upload_id_text));
    let result = ListMultipartUploadsResult {
        bucket: call.target.bucket.as_deref().unwrap_or_default(),
        key_marker: text("key-marker"),
        upload_id_marker: text("upload-id-marker"),
        next_key_marker: page.next.as_ref().map(|(key, _)| key.as_str()),
        next_upload_id_marker: next_upload.as_deref(),
        prefix: text("prefix"),
        delimiter: call.query.get("delimiter").filter(|d| !d.is_empty()),
        encoding,
        max_uploads: limit,
        is_truncated: page.next.is_some() && limit > 0,
        uploads: page
            .uploads
            .iter()
            .zip(&ids)
            .map(|(u, id)| ListedUpload {
                key: u.key.as_str(),
                upload_id: id,
                initiated_ms: u.created_ms,
                owner: owner(&call.gateway),
                storage_class: u.storage_class.name(),
                checksum: announced(u.checksum_algorithm.as_deref(), u.checksum_composite),
            })
            .collect(),
        common_prefixes: page.common_prefixes.iter().map(String::as_str).collect(),
    };
    respond::document(result.to_xml())
}
