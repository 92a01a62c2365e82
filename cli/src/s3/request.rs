//! A request before it is signed.

use cairn_protocol::sigv4::{PayloadMode, RequestTarget, encode_path};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use http_body::Body;

use super::{Account, S3Error};
use crate::http::RequestBody;

/// One S3 request.
#[derive(Debug)]
pub struct S3Request<'a> {
    pub method: Method,
    /// The bucket; empty for the service itself.
    pub bucket: &'a str,
    /// The key; empty for the bucket itself.
    pub key: &'a str,
    /// The query without `?`, encoded.
    pub query: &'a str,
    /// Headers, without those that signing adds.
    pub headers: HeaderMap,
    pub body: RequestBody,
    /// How the signature covers the body.
    pub payload: PayloadMode,
}

impl<'a> S3Request<'a> {
    /// A request without query, headers or body; the payload is unsigned.
    pub fn new(method: Method, bucket: &'a str, key: &'a str) -> Self {
        let (headers, body) = (HeaderMap::new(), RequestBody::empty());
        Self { method, bucket, key, query: "", headers, body, payload: PayloadMode::Unsigned }
    }

    /// Adds a query.
    pub fn query(self, query: &'a str) -> Self {
        Self { query, ..self }
    }

    /// Adds a header.
    pub fn header(mut self, name: http::HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Adds a body.
    pub fn body(self, body: impl Into<RequestBody>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// The path and query, percent-encoded.
    pub fn uri(&self) -> Result<Uri, S3Error> {
        let mut text = String::with_capacity(self.bucket.len() + self.key.len() + self.query.len() + 16);
        text.push('/');
        text.push_str(self.bucket);
        if !self.key.is_empty() {
            text.push('/');
            text.push_str(&encode_path(self.key));
        }
        if !self.query.is_empty() {
            text.push('?');
            text.push_str(self.query);
        }
        text.parse::<Uri>().map_err(|e| S3Error::Request(e.into()))
    }

    /// The HTTP request, signed as `account`.
    pub fn sign(mut self, account: &Account) -> Result<Request<RequestBody>, S3Error> {
        let uri = self.uri()?;
        let host = HeaderValue::from_str(account.endpoint.authority()).map_err(http::Error::from)?;
        self.headers.insert(HOST, host);
        let target = RequestTarget { method: &self.method, uri: &uri };
        account.signer().sign_headers(target, &mut self.headers, account.clock().now(), self.payload)?;
        if let Some(length) = self.body.size_hint().exact()
            && (length > 0 || matches!(self.method, Method::PUT | Method::POST))
        {
            self.headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = self.headers;
        Ok(request)
    }
}
