//! Lifecycle rules of a bucket.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use cairn_cli::s3::{Client, S3Error, S3Request};
use http::{HeaderName, HeaderValue, Method};
use sha2::{Digest, Sha256};

/// Sets the rules, given as the `Rule` elements of the document. The checksum that S3 demands is sent with them.
pub async fn set_rules(client: &mut Client, bucket: &str, rules: &str) -> Result<(), S3Error> {
    let document = format!("<LifecycleConfiguration>{rules}</LifecycleConfiguration>");
    let checksum = BASE64_STANDARD.encode(Sha256::digest(&document));
    let checksum = HeaderValue::from_str(&checksum).expect("base64 is a header value");
    let request = S3Request::new(Method::PUT, bucket, "")
        .query("lifecycle=")
        .header(HeaderName::from_static("x-amz-checksum-sha256"), checksum)
        .body(Bytes::from(document));
    client.execute_document(request).await.map(drop)
}
