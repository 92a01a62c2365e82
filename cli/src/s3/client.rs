//! The client and the operations on buckets and whole objects.

use std::ops::RangeInclusive;
use std::sync::Arc;

use bytes::Bytes;
use http::header::RANGE;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::answer::{etag, service_error};
use super::{Account, ObjectBody, ObjectInfo, S3Error, S3Request};
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
        Ok(ObjectBody::new(&mut self.connection, answer))
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
