//! Requests that name a storage class, and the class that the server returns afterwards.

use bytes::Bytes;
use cairn_cli::s3::{Client, S3Error, S3Request};
use cairn_core::storage_class::StorageClass;
use http::{HeaderName, HeaderValue, Method};

const HEADER: HeaderName = HeaderName::from_static("x-amz-storage-class");
const COPY_SOURCE: HeaderName = HeaderName::from_static("x-amz-copy-source");

fn named(request: S3Request<'_>, class: StorageClass) -> S3Request<'_> {
    request.header(HEADER, HeaderValue::from_static(class.name()))
}

/// Stores an object of `class`.
pub async fn put_as(
    client: &mut Client,
    bucket: &str,
    key: &str,
    class: StorageClass,
    body: Bytes,
) -> Result<(), S3Error> {
    let request = named(S3Request::new(Method::PUT, bucket, key), class).body(body);
    client.execute_document(request).await.map(drop)
}

/// Stores an object of `class` in parts.
pub async fn put_parts_as(
    client: &mut Client,
    bucket: &str,
    key: &str,
    class: StorageClass,
    bodies: &[Bytes],
) -> Result<(), S3Error> {
    let request = named(S3Request::new(Method::POST, bucket, key).query("uploads="), class);
    client.execute_document(request).await?;
    let page = client.list_uploads(bucket, None).await?;
    let upload = page.uploads.into_iter().find(|upload| upload.key == key).expect("the upload that was begun");
    let mut parts = Vec::new();
    for (number, body) in (1..).zip(bodies) {
        parts.push(client.upload_part(bucket, key, &upload.upload_id, number, body.clone()).await?);
    }
    client.complete_upload(bucket, key, &upload.upload_id, &parts).await.map(drop)
}

/// Copies `from` (`bucket/key`) to a key, of `class` if one is named.
pub async fn copy_as(
    client: &mut Client,
    from: &str,
    bucket: &str,
    key: &str,
    class: Option<StorageClass>,
) -> Result<(), S3Error> {
    let source = HeaderValue::from_str(from).map_err(http::Error::from)?;
    let request = S3Request::new(Method::PUT, bucket, key).header(COPY_SOURCE, source);
    let request = match class {
        Some(class) => named(request, class),
        None => request,
    };
    client.execute_document(request).await.map(drop)
}

/// The class that HEAD returns. HEAD omits `STANDARD`.
pub async fn class_of(client: &mut Client, bucket: &str, key: &str) -> Result<StorageClass, S3Error> {
    let info = client.head(bucket, key).await?;
    let name = info.header(HEADER.as_str());
    assert_ne!(name, Some(StorageClass::Standard.name()), "S3 does not name the default class");
    Ok(name.map_or(StorageClass::Standard, |name| StorageClass::parse(name).expect("a class of S3")))
}
