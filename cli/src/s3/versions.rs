//! Versions of objects.

use std::fmt::Write as _;

use bytes::Bytes;
use cairn_core::version::Versioning;
use cairn_protocol::sigv4::encode_query_component;
use http::{HeaderMap, Method};

use super::answer::{VERSION_ID, is_delete_marker};
use super::xml::{ListVersionsResult, VersionEntry, VersionsElement};
use super::{Client, ObjectBody, S3Error, S3Request};
use crate::http::RequestBody;

/// The result of a deletion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The delete marker created or the version deleted; `None` if the bucket was never versioned.
    pub version: Option<String>,
    /// Whether `version` is a delete marker.
    pub is_marker: bool,
}

#[derive(Debug, Clone, Default)]
pub struct VersionQuery<'a> {
    /// Only keys with this prefix.
    pub prefix: &'a str,
    /// Groups keys by the text between the prefix and this delimiter.
    pub delimiter: &'a str,
    /// Where the previous page ended.
    pub after: Option<&'a VersionMarker>,
    /// Page size limit; `None` for the server's default.
    pub max_keys: Option<u32>,
}

/// A position in a listing of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionMarker {
    /// A key, or a common prefix.
    pub key: String,
    /// A version of the key; `None` for the position after all of them.
    pub version: Option<String>,
}

/// A version or a delete marker in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    pub key: String,
    pub id: String,
    /// Whether it is the newest of its key.
    pub is_latest: bool,
    pub is_marker: bool,
    pub size: u64,
    /// The entity tag without quotes; empty for a delete marker.
    pub etag: String,
}

/// A page of a listing of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers, in S3's order.
    pub versions: Vec<ListedVersion>,
    /// Common prefixes.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` on the last page.
    pub next: Option<VersionMarker>,
}

impl Client {
    pub async fn set_versioning(&mut self, bucket: &str, versioning: Versioning) -> Result<(), S3Error> {
        let status = versioning.name().unwrap_or_default();
        let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
        let request = S3Request::new(Method::PUT, bucket, "").query("versioning=").body(Bytes::from(document));
        self.execute_document(request).await.map(drop)
    }

    /// Stores an object and returns the id of the version, if it has one of its own.
    pub async fn put_version(
        &mut self,
        bucket: &str,
        key: &str,
        body: impl Into<RequestBody>,
    ) -> Result<Option<String>, S3Error> {
        let (headers, _) = self.execute_document(S3Request::new(Method::PUT, bucket, key).body(body)).await?;
        Ok(version_id(&headers))
    }

    /// Opens a version for reading.
    pub async fn get_version(&mut self, bucket: &str, key: &str, id: &str) -> Result<ObjectBody<'_>, S3Error> {
        let query = version_query(id);
        self.open(S3Request::new(Method::GET, bucket, key).query(&query)).await
    }

    /// Deletes a version permanently; without one like [`Client::delete`]. Returns what was deleted or created.
    pub async fn delete_version(&mut self, bucket: &str, key: &str, id: Option<&str>) -> Result<Deleted, S3Error> {
        let query = id.map(version_query).unwrap_or_default();
        let (headers, _) = self.execute_document(S3Request::new(Method::DELETE, bucket, key).query(&query)).await?;
        Ok(Deleted { version: version_id(&headers), is_marker: is_delete_marker(&headers) })
    }

    /// One page of a listing of versions.
    pub async fn list_versions(&mut self, bucket: &str, query: &VersionQuery<'_>) -> Result<VersionPage, S3Error> {
        let mut text = String::from("versions=");
        let after = query.after.map(|marker| marker.key.as_str()).unwrap_or_default();
        let version = query.after.and_then(|marker| marker.version.as_deref()).unwrap_or_default();
        for (name, value) in [
            ("prefix", query.prefix),
            ("delimiter", query.delimiter),
            ("key-marker", after),
            ("version-id-marker", version),
        ] {
            if !value.is_empty() {
                let _ = write!(text, "&{name}={}", encode_query_component(value));
            }
        }
        if let Some(max_keys) = query.max_keys {
            let _ = write!(text, "&max-keys={max_keys}");
        }
        let (_, document) = self.execute_document(S3Request::new(Method::GET, bucket, "").query(&text)).await?;
        parse(&document)
    }
}

fn version_id(headers: &HeaderMap) -> Option<String> {
    headers.get(VERSION_ID)?.to_str().ok().map(str::to_owned)
}

fn version_query(id: &str) -> String {
    format!("versionId={}", encode_query_component(id))
}

fn parse(document: &[u8]) -> Result<VersionPage, S3Error> {
    let text = std::str::from_utf8(document).map_err(|_| S3Error::Answer("a listing that is not UTF-8"))?;
    let result: ListVersionsResult = quick_xml::de::from_str(text)?;
    let (mut page, mut truncated, mut next) = (VersionPage::default(), false, None::<VersionMarker>);
    for element in result.elements {
        match element {
            VersionsElement::Version(version) => page.versions.push(listed(version, false)),
            VersionsElement::DeleteMarker(marker) => page.versions.push(listed(marker, true)),
            VersionsElement::CommonPrefixes(common) => page.common_prefixes.push(common.prefix),
            VersionsElement::IsTruncated(is) => truncated = is,
            VersionsElement::NextKeyMarker(key) => next.get_or_insert_default().key = key,
            VersionsElement::NextVersionIdMarker(id) => next.get_or_insert_default().version = Some(id),
            VersionsElement::Other => {}
        }
    }
    page.next = match (truncated, next) {
        (true, None) => return Err(S3Error::Answer("a truncated listing without a marker")),
        (true, marker) => marker,
        (false, _) => None,
    };
    Ok(page)
}

fn listed(entry: VersionEntry, is_marker: bool) -> ListedVersion {
    let VersionEntry { key, version_id, is_latest, size, etag } = entry;
    ListedVersion { key, id: version_id, is_latest, is_marker, size, etag: etag.trim_matches('"').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_delete_markers_are_read_in_their_order() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix>
<KeyMarker></KeyMarker><VersionIdMarker></VersionIdMarker><NextKeyMarker>k</NextKeyMarker><NextVersionIdMarker>1</NextVersionIdMarker>
<MaxKeys>4</MaxKeys><IsTruncated>true</IsTruncated>
<Version><Key>a&amp;b</Key><VersionId>3</VersionId><IsLatest>true</IsLatest><ETag>&quot;e&quot;</ETag><Size>5</Size>
<StorageClass>STANDARD</StorageClass><Owner><ID>id</ID><DisplayName>name</DisplayName></Owner></Version>
<DeleteMarker><Key>k</Key><VersionId>2</VersionId><IsLatest>true</IsLatest><Owner><ID>id</ID></Owner></DeleteMarker>
<Version><Key>k</Key><VersionId>null</VersionId><IsLatest>false</IsLatest><ETag>"f"</ETag><Size>0</Size></Version>
<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes></ListVersionsResult>"#;
        let version = |key: &str, id: &str, is_latest, is_marker, size, etag: &str| ListedVersion {
            key: key.into(),
            id: id.into(),
            is_latest,
            is_marker,
            size,
            etag: etag.into(),
        };
        let expected = VersionPage {
            versions: vec![
                version("a&b", "3", true, false, 5, "e"),
                version("k", "2", true, true, 0, ""),
                version("k", "null", false, false, 0, "f"),
            ],
            common_prefixes: vec!["c/".to_owned()],
            next: Some(VersionMarker { key: "k".to_owned(), version: Some("1".to_owned()) }),
        };
        assert_eq!(parse(document).unwrap(), expected);
    }

    #[test]
    fn an_empty_page_is_read_and_a_page_without_its_marker_is_not() {
        let empty = b"<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>";
        assert_eq!(parse(empty).unwrap(), VersionPage::default());
        let broken = b"<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>";
        assert!(matches!(parse(broken), Err(S3Error::Answer(_))));
    }
}
