//! The answer to a GET or HEAD.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::S3Error;
use super::answer::etag;
use crate::http::Connection;

/// The status and headers of an object.
#[derive(Debug, Clone)]
pub struct ObjectInfo {
    /// 200, or 206 for a range.
    pub status: StatusCode,
    pub headers: HeaderMap,
}

impl ObjectInfo {
    pub(super) fn new<B>(answer: &Response<B>) -> Self {
        Self { status: answer.status(), headers: answer.headers().clone() }
    }

    /// Bytes of the body.
    pub fn length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// The entity tag, without its quotes.
    pub fn etag(&self) -> Option<String> {
        etag(&self.headers).ok()
    }

    /// Bytes of the whole object, also for a range.
    pub fn object_length(&self) -> Option<u64> {
        match self.header(CONTENT_RANGE.as_str()) {
            Some(range) => range.rsplit('/').next()?.parse().ok(),
            None => self.length(),
        }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A streamed object. A body that ends early is an error, never a short success.
#[derive(Debug)]
pub struct ObjectBody<'c> {
    connection: &'c mut Connection,
    info: ObjectInfo,
    body: Incoming,
}

impl<'c> ObjectBody<'c> {
    pub(super) fn new(connection: &'c mut Connection, answer: Response<Incoming>) -> Self {
        let (parts, body) = answer.into_parts();
        Self { connection, info: ObjectInfo { status: parts.status, headers: parts.headers }, body }
    }

    /// The head of the answer.
    pub fn info(&self) -> &ObjectInfo {
        &self.info
    }

    /// The next bytes; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, S3Error> {
        while let Some(frame) = self.body.frame().await {
            match frame {
                Ok(frame) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Err(cause) => return Err(self.connection.broken(cause).into()),
            }
        }
        Ok(None)
    }

    /// Reads to the end, discards the bytes and returns their number.
    pub async fn drain(mut self) -> Result<u64, S3Error> {
        let mut bytes = 0;
        while let Some(data) = self.next().await? {
            bytes += data.len() as u64;
        }
        Ok(bytes)
    }

    /// Reads to the end.
    pub async fn collect(mut self) -> Result<Bytes, S3Error> {
        let mut all = BytesMut::new();
        while let Some(data) = self.next().await? {
            all.extend_from_slice(&data);
        }
        Ok(all.freeze())
    }
}
