//! `x-amz-expiration`: when lifecycle rules will end an object.

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::{Expiry, VersionFacts, expiry};
use cairn_protocol::metadata::ObjectVersion;
use http::response::Builder;

use crate::context::Context;
use crate::http_date::format_http_date;
use crate::request::name::ObjectName;
use crate::xml::KeyEncoding;

const HEADER: &str = "x-amz-expiration";

/// Fields from which `x-amz-expiration` is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described {
    /// The commit that set the bucket's rules, if it has any.
    pub(crate) lifecycle: Option<CommitSequence>,
    pub(crate) sequence: CommitSequence,
    pub(crate) last_modified_ms: u64,
    pub(crate) size: u64,
}

impl Described {
    pub(crate) fn of(version: &ObjectVersion, lifecycle: Option<CommitSequence>) -> Self {
        let ObjectVersion { sequence, last_modified_ms, size, .. } = *version;
        Self { lifecycle, sequence, last_modified_ms, size }
    }
}

/// Adds when the object ends, if a rule applies to it.
pub(crate) async fn describe_expiration(
    context: &Context,
    name: &ObjectName,
    response: Builder,
    object: Described,
) -> Builder {
    let Some(revision) = object.lifecycle else { return response };
    let Some(rules) = context.buckets().rules(&name.bucket, revision).await else { return response };
    let version = VersionFacts {
        key: name.key.as_str(),
        sequence: object.sequence,
        last_modified_ms: object.last_modified_ms,
        size: object.size,
        // Objects have no tags yet.
        tags: &[],
        is_marker: false,
    };
    match expiry(&rules, &version, context.day()) {
        Some(expiry) => response.header(HEADER, header(expiry)),
        None => response,
    }
}

/// Source: S3 API reference, PutObject, `x-amz-expiration`: the id is URL-encoded.
fn header(expiry: Expiry<'_>) -> String {
    let rule = KeyEncoding::Url.encode(expiry.rule);
    format!("expiry-date=\"{}\", rule-id=\"{rule}\"", format_http_date(expiry.at_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_has_the_form_that_s3_writes() {
        let expiry = Expiry { at_ms: 1_356_048_000_000, rule: "old \"logs\"" };
        let expected = "expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\", rule-id=\"old%20%22logs%22\"";
        assert_eq!(header(expiry), expected);
    }
}
