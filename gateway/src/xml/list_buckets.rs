//! ListBuckets.

use super::entry::Owner;
use super::writer::XmlWriter;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedBucket<'a> {
    pub name: &'a str,
    /// Milliseconds since the Unix epoch.
    pub created_ms: u64,
    /// Shown if the client pages or filters.
    pub region: Option<&'a str>,
}

/// The response of ListBuckets. Source: S3 API reference, "ListBuckets".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListAllMyBucketsResult<'a> {
    pub owner: Owner<'a>,
    /// One page, in order of name.
    pub buckets: Vec<ListedBucket<'a>>,
    /// Where the next page begins.
    pub continuation_token: Option<&'a str>,
    pub prefix: Option<&'a str>,
}

impl ListAllMyBucketsResult<'_> {
    pub fn to_xml(&self) -> String {
        XmlWriter::document("ListAllMyBucketsResult", |xml| {
            self.owner.write("Owner", xml);
            xml.element("Buckets", |xml| {
                for bucket in &self.buckets {
                    xml.element("Bucket", |xml| {
                        xml.text("Name", bucket.name);
                        xml.time("CreationDate", bucket.created_ms);
                        xml.optional("BucketRegion", bucket.region);
                    });
                }
            });
            xml.optional("ContinuationToken", self.continuation_token);
            xml.optional("Prefix", self.prefix);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_lists_owner_and_buckets() {
        let result = ListAllMyBucketsResult {
            owner: Owner { id: "id", display_name: "name" },
            buckets: vec![ListedBucket { name: "b1", created_ms: 0, region: None }],
            continuation_token: None,
            prefix: None,
        };
        assert!(result.to_xml().ends_with(
            "<Owner><ID>id</ID><DisplayName>name</DisplayName></Owner><Buckets><Bucket><Name>b1</Name>\
             <CreationDate>1970-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"
        ));
    }
}
