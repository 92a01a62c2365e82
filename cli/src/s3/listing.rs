//! ListObjectsV2.

use std::fmt::Write as _;

use cairn_protocol::sigv4::encode_query_component;
use http::Method;

use super::xml::ListBucketResult;
use super::{Client, S3Error, S3Request};

#[derive(Debug, Clone, Default)]
pub struct ListQuery<'a> {
    /// Only keys with this prefix.
    pub prefix: &'a str,
    /// Groups keys by the text between the prefix and this delimiter.
    pub delimiter: &'a str,
    /// Where the previous page ended.
    pub continuation: Option<&'a str>,
    /// Page size limit; `None` for the server's default.
    pub max_keys: Option<u32>,
}

/// A key in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    pub key: String,
    pub size: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
}

/// A page of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    pub objects: Vec<ListedObject>,
    /// Common prefixes.
    pub common_prefixes: Vec<String>,
    /// Where the next page starts; `None` on the last page.
    pub continuation: Option<String>,
}

impl Client {
    /// One page of a listing.
    pub async fn list(&mut self, bucket: &str, query: &ListQuery<'_>) -> Result<ListPage, S3Error> {
        let mut text = format!("list-type=2&prefix={}", encode_query_component(query.prefix));
        if !query.delimiter.is_empty() {
            text.push_str("&delimiter=");
            text.push_str(&encode_query_component(query.delimiter));
        }
        if let Some(continuation) = query.continuation {
            text.push_str("&continuation-token=");
            text.push_str(&encode_query_component(continuation));
        }
        if let Some(max_keys) = query.max_keys {
            let _ = write!(text, "&max-keys={max_keys}");
        }
        let (_, document) = self.execute_document(S3Request::new(Method::GET, bucket, "").query(&text)).await?;
        parse(&document)
    }

    /// Every key that begins with `prefix`, page by page.
    pub async fn list_all(&mut self, bucket: &str, prefix: &str) -> Result<Vec<ListedObject>, S3Error> {
        let mut objects = Vec::new();
        let mut continuation: Option<String> = None;
        loop {
            let query = ListQuery { prefix, continuation: continuation.as_deref(), ..ListQuery::default() };
            let page = self.list(bucket, &query).await?;
            objects.extend(page.objects);
            match page.continuation {
                // A token that does not advance would loop forever.
                Some(next) if continuation.as_ref() != Some(&next) => continuation = Some(next),
                Some(_) => return Err(S3Error::Answer("a listing that does not advance")),
                None => return Ok(objects),
            }
        }
    }
}

fn parse(document: &[u8]) -> Result<ListPage, S3Error> {
    let text = std::str::from_utf8(document).map_err(|_| S3Error::Answer("a listing that is not UTF-8"))?;
    let result: ListBucketResult = quick_xml::de::from_str(text)?;
    let continuation = match (result.is_truncated, result.next_continuation_token) {
        (true, None) => return Err(S3Error::Answer("a truncated listing without a continuation token")),
        (true, token) => token,
        (false, _) => None,
    };
    let listed =
        |c: super::xml::Contents| ListedObject { key: c.key, size: c.size, etag: c.etag.trim_matches('"').to_owned() };
    Ok(ListPage {
        objects: result.contents.into_iter().map(listed).collect(),
        common_prefixes: result.common_prefixes.into_iter().map(|p| p.prefix).collect(),
        continuation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read() {
        let document = br#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>3</KeyCount>
<MaxKeys>3</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>abc=</NextContinuationToken>
<Contents><Key>a&amp;b</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e1"</ETag><Size>5</Size>
<StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>d</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e2&quot;</ETag><Size>0</Size></Contents><CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>
</ListBucketResult>"#;
        let page = parse(document).unwrap();
        let object = |key: &str, size, etag: &str| ListedObject { key: key.into(), size, etag: etag.into() };
        assert_eq!(page.objects, [object("a&b", 5, "e1"), object("d", 0, "e2")]);
        assert_eq!((page.common_prefixes, page.continuation), (vec!["c/".to_owned()], Some("abc=".to_owned())));
    }

    #[test]
    fn an_empty_page_is_read_and_a_page_without_its_token_is_not() {
        let empty = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
        assert_eq!(parse(empty).unwrap(), ListPage::default());
        let broken = b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        assert!(matches!(parse(broken), Err(S3Error::Answer(_))));
    }
}
