//! Multipart uploads.

use std::fmt::Write as _;

use bytes::Bytes;
use cairn_protocol::sigv4::encode_query_component;
use http::{Method, StatusCode};

use super::answer::{etag, service_error};
use super::xml::{CompleteMultipartUploadResult, InitiateMultipartUploadResult, ListMultipartUploadsResult};
use super::{Client, S3Error, S3Request};
use crate::http::RequestBody;

/// A part, as listed when an upload is completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// From 1 to 10,000.
    pub number: u32,
    /// The entity tag that the part's upload returned.
    pub etag: String,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUpload {
    /// The object's key.
    pub key: String,
    pub upload_id: String,
}

/// A page of uploads under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPage {
    pub uploads: Vec<ListedUpload>,
    /// Key and upload id after which the next page starts; `None` on the last page.
    pub next: Option<(String, String)>,
}

impl Client {
    /// Starts an upload and returns its id.
    pub async fn create_upload(&mut self, bucket: &str, key: &str) -> Result<String, S3Error> {
        let request = S3Request::new(Method::POST, bucket, key).query("uploads=");
        let (_, document) = self.execute_document(request).await?;
        let result: InitiateMultipartUploadResult = parse(&document)?;
        Ok(result.upload_id)
    }

    /// Uploads a part and returns its entity tag.
    pub async fn upload_part(
        &mut self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: u32,
        body: impl Into<RequestBody>,
    ) -> Result<CompletedPart, S3Error> {
        let query = format!("partNumber={number}&uploadId={}", encode_query_component(upload_id));
        let request = S3Request::new(Method::PUT, bucket, key).query(&query).body(body);
        let (headers, _) = self.execute_document(request).await?;
        Ok(CompletedPart { number, etag: etag(&headers)? })
    }

    /// Completes an upload from the given parts and returns the object's entity tag.
    pub async fn complete_upload(
        &mut self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        parts: &[CompletedPart],
    ) -> Result<String, S3Error> {
        let mut document = String::from("<CompleteMultipartUpload>");
        for part in parts {
            let (number, etag) = (part.number, &part.etag);
            let _ = write!(document, "<Part><PartNumber>{number}</PartNumber><ETag>\"{etag}\"</ETag></Part>");
        }
        document.push_str("</CompleteMultipartUpload>");
        let query = format!("uploadId={}", encode_query_component(upload_id));
        let request = S3Request::new(Method::POST, bucket, key).query(&query).body(Bytes::from(document));
        let (headers, answer) = self.execute_document(request).await?;
        // S3 may answer 200 first and then send an error document.
        let result: CompleteMultipartUploadResult = parse(&answer).map_err(|error| {
            let inner = service_error(StatusCode::INTERNAL_SERVER_ERROR, &headers, &answer);
            if inner.code.is_empty() { error } else { S3Error::Service(Box::new(inner)) }
        })?;
        Ok(result.etag.trim_matches('"').to_owned())
    }

    /// Aborts an upload.
    pub async fn abort_upload(&mut self, bucket: &str, key: &str, upload_id: &str) -> Result<(), S3Error> {
        let query = format!("uploadId={}", encode_query_component(upload_id));
        self.execute_document(S3Request::new(Method::DELETE, bucket, key).query(&query)).await.map(drop)
    }

    /// Uploads under way, after the key and upload id `after`.
    pub async fn list_uploads(&mut self, bucket: &str, after: Option<(&str, &str)>) -> Result<UploadPage, S3Error> {
        let mut query = String::from("uploads=");
        if let Some((key, upload_id)) = after {
            let (key, upload_id) = (encode_query_component(key), encode_query_component(upload_id));
            let _ = write!(query, "&key-marker={key}&upload-id-marker={upload_id}");
        }
        let (_, document) = self.execute_document(S3Request::new(Method::GET, bucket, "").query(&query)).await?;
        let result: ListMultipartUploadsResult = parse(&document)?;
        let uploads = result.upload.into_iter().map(|u| ListedUpload { key: u.key, upload_id: u.upload_id }).collect();
        let next = result.is_truncated.then_some((result.next_key_marker, result.next_upload_id_marker));
        Ok(UploadPage { uploads, next })
    }
}

fn parse<T: serde::de::DeserializeOwned>(document: &[u8]) -> Result<T, S3Error> {
    let text = std::str::from_utf8(document).map_err(|_| S3Error::Answer("a document that is not UTF-8"))?;
    Ok(quick_xml::de::from_str(text)?)
}
