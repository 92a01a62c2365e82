//! The client and the operations on buckets and whole objects.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ETAG, RANGE};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::versions::{VERSION_ID, is_delete_marker};
use super::xml::ErrorDocument;
use super::{Account, ObjectBody, ObjectInfo, S3Error, S3Request, ServiceError};
use crate::http::{Connection, RequestBody};

/// Largest document that is read whole: a page of 1,000 keys of 1,024 bytes, each byte escaped.
pub(super) const DOCUMENT_BYTES_MAX: usize = 8 << 20;

/// Sends one request at a time over one connection.
#[derive(Debug)]
pub struct Client {
    account: Arc<Account>,
    pub(super) connection: Connection,
}

impl Client {
    pub fn new(account: Arc<Account>) -> Self {
        let connection = Connection::new(account.endpoint.clone());
        Self { account, connection }
    }

    /// The endpoint and identity of the client.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Closes the connection; the next request opens another.
    pub fn disconnect(&mut self) {
        self.connection.close();
    }

    /// Signs and sends `request`. An answer other than 2xx (and 304, which answers a condition) is an error.
    pub async fn execute(&mut self, request: S3Request<'_>) -> Result<Response<Incoming>, S3Error> {
        let request = request.sign(&self.account)?;
        let answer = self.connection.send(request).await?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let (parts, body) = answer.into_parts();
        let document = self.read_document(body).await?;
        Err(S3Error::Service(Box::new(service_error(parts.status, &parts.headers, &document))))
    }

    /// Like [`Client::execute`], for an answer that is a document or nothing.
    pub async fn execute_document(&mut self, request: S3Request<'_>) -> Result<(HeaderMap, Bytes), S3Error> {
        let (parts, body) = self.execute(request).await?.into_parts();
        Ok((parts.headers, self.read_document(body).await?))
    }

    pub async fn create_bucket(&mut self, bucket: &str) -> Result<(), S3Error> {
        self.execute_document(S3Request::new(Method::PUT, bucket, "")).await.map(drop)
    }

    /// Checks that a bucket exists; 404 if not.
    pub async fn head_bucket(&mut self, bucket: &str) -> Result<(), S3Error> {
        self.execute_document(S3Request::new(Method::HEAD, bucket, "")).await.map(drop)
    }

    pub async fn delete_bucket(&mut self, bucket: &str) -> Result<(), S3Error> {
        self.execute_document(S3Request::new(Method::DELETE, bucket, "")).await.map(drop)
    }

    /// Stores an object and returns its entity tag.
    pub async fn put(&mut self, bucket: &str, key: &str, body: impl Into<RequestBody>) -> Result<String, S3Error> {
        let (headers, _) = self.execute_document(S3Request::new(Method::PUT, bucket, key).body(body)).await?;
        etag(&headers)
    }

    /// Opens an object for reading.
    pub async fn get(&mut self, bucket: &str, key: &str) -> Result<ObjectBody<'_>, S3Error> {
        self.open(S3Request::new(Method::GET, bucket, key)).await
    }

    /// Opens the bytes `range` of an object, both ends included.
    pub async fn get_range(
        &mut self,
        bucket: &str,
        key: &str,
        range: RangeInclusive<u64>,
    ) -> Result<ObjectBody<'_>, S3Error> {
        let value = format!("bytes={}-{}", range.start(), range.end());
        let value = HeaderValue::from_str(&value).map_err(http::Error::from)?;
        let body = self.open(S3Request::new(Method::GET, bucket, key).header(RANGE, value)).await?;
        if body.info().status != StatusCode::PARTIAL_CONTENT {
            return Err(S3Error::Answer("a range was asked for, and the answer is not 206"));
        }
        Ok(body)
    }

    /// Sends `request` and returns the object in its answer.
    pub async fn open(&mut self, request: S3Request<'_>) -> Result<ObjectBody<'_>, S3Error> {
        let answer = self.execute(request).await?;
        Ok(ObjectBody::new(self, answer))
    }

    /// The headers that a GET of the object would return.
    pub async fn head(&mut self, bucket: &str, key: &str) -> Result<ObjectInfo, S3Error> {
        let answer = self.execute(S3Request::new(Method::HEAD, bucket, key)).await?;
        Ok(ObjectInfo::new(&answer))
    }

    /// Deletes an object. A missing key is not an error.
    pub async fn delete(&mut self, bucket: &str, key: &str) -> Result<(), S3Error> {
        self.execute_document(S3Request::new(Method::DELETE, bucket, key)).await.map(drop)
    }

    async fn read_document(&self, body: Incoming) -> Result<Bytes, S3Error> {
        let body = http_body_util::Limited::new(body, DOCUMENT_BYTES_MAX);
        match body.collect().await {
            Ok(collected) => Ok(collected.to_bytes()),
            Err(error) => Err(match error.downcast::<hyper::Error>() {
                Ok(cause) => self.connection.broken(*cause).into(),
                Err(_) => S3Error::Answer("a document without end"),
            }),
        }
    }
}

/// The entity tag of an answer, without its quotes.
pub(super) fn etag(headers: &HeaderMap) -> Result<String, S3Error> {
    let value = headers.get(ETAG).and_then(|v| v.to_str().ok()).ok_or(S3Error::Answer("no ETag"))?;
    Ok(value.trim_matches('"').to_owned())
}

/// The error in `document`, or one made from status and headers if there is none (HEAD).
pub(super) fn service_error(status: StatusCode, headers: &HeaderMap, document: &[u8]) -> ServiceError {
    let text = String::from_utf8_lossy(document);
    let error: ErrorDocument = quick_xml::de::from_str(&text).unwrap_or_default();
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let from_head = || header("x-amz-request-id").unwrap_or_default();
    let request_id = if error.request_id.is_empty() { from_head() } else { error.request_id };
    let delete_marker = header(VERSION_ID).filter(|_| is_delete_marker(headers));
    ServiceError { status, code: error.code, message: error.message, request_id, delete_marker }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_read_from_its_document_or_from_the_status() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
            <Error><Code>NoSuchKey</Code><Message>No &amp; never.</Message><Key>k</Key><RequestId>7</RequestId></Error>"#;
        let error = service_error(StatusCode::NOT_FOUND, &HeaderMap::new(), document);
        assert_eq!(error.to_string(), "404 NoSuchKey: No & never. (request 7)");
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-request-id", HeaderValue::from_static("8"));
        assert_eq!(service_error(StatusCode::NOT_FOUND, &headers, b"").to_string(), "404 (request 8)");
        headers.insert("x-amz-version-id", HeaderValue::from_static("9"));
        for (told, expected) in [("false", None), ("true", Some("9"))] {
            headers.insert("x-amz-delete-marker", HeaderValue::from_static(told));
            let error = service_error(StatusCode::NOT_FOUND, &headers, b"");
            assert_eq!(error.delete_marker.as_deref(), expected);
        }
    }
}
