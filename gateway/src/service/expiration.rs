//! `x-amz-expiration`: what clients are told of the end that lifecycle rules set for an object.
//!
//! The metadata service says with each object which commit set its bucket's rules; the gateway keeps the rules of some
//! buckets, and asks again where that commit is another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::{Day, Expiry, Rule, VersionFacts, expiry};
use cairn_core::name::BucketName;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::metadata::query::GetLifecycle;
use cairn_protocol::metadata::{Metadata, MetadataExt, ObjectVersion};
use http::response::Builder;

use super::call::Call;
use super::http_time::format_http_date;
use crate::error::S3Error;
use crate::xml::KeyEncoding;

const HEADER: &str = "x-amz-expiration";
/// Buckets whose rules are kept; beyond it all are forgotten and asked for again.
const BUCKETS_KEPT_MAX: usize = 1024;

/// The rules of buckets that were asked for lately, with the commits that set them.
#[derive(Debug, Default)]
pub(crate) struct KnownRules {
    day: Day,
    rules: Mutex<HashMap<BucketName, Known>>,
}

/// The rules of a bucket, as a commit set them.
#[derive(Debug, Clone)]
struct Known {
    revision: CommitSequence,
    rules: Arc<[Rule]>,
}

/// What it takes to tell when an object ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described {
    /// The commit that set the bucket's rules, if it has any.
    pub(crate) lifecycle: Option<CommitSequence>,
    pub(crate) sequence: CommitSequence,
    pub(crate) last_modified_ms: u64,
    pub(crate) size: u64,
}

impl Described {
    /// Of a version that was read.
    pub(crate) fn of(version: &ObjectVersion, lifecycle: Option<CommitSequence>) -> Self {
        let ObjectVersion { sequence, last_modified_ms, size, .. } = *version;
        Self { lifecycle, sequence, last_modified_ms, size }
    }
}

impl KnownRules {
    /// Nothing is known yet; rules count in days of this length.
    pub(crate) fn new(day: Day) -> Self {
        Self { day, ..Self::default() }
    }

    /// The rules of `bucket`; nothing where they cannot be had, or were removed meanwhile.
    async fn of(&self, metadata: &dyn Metadata, bucket: &BucketName, revision: CommitSequence) -> Option<Arc<[Rule]>> {
        let known = self.rules.lock().ignore_poison().get(bucket).cloned();
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return Some(known.rules);
        }
        let view = match metadata.ask(GetLifecycle { bucket: bucket.clone() }).await {
            Ok(view) => view?,
            Err(error) => {
                tracing::debug!(%bucket, %error, "the end of an object is not told: its rules cannot be had");
                return None;
            }
        };
        let rules: Arc<[Rule]> = view.rules.into();
        let mut all = self.rules.lock().ignore_poison();
        if all.len() >= BUCKETS_KEPT_MAX {
            all.clear();
        }
        all.insert(bucket.clone(), Known { revision: view.revision, rules: Arc::clone(&rules) });
        Some(rules)
    }
}

/// Says when the request's object ends, if a rule is about it.
pub(crate) async fn describe_expiration(call: &Call, response: Builder, object: Described) -> Result<Builder, S3Error> {
    let Some(revision) = object.lifecycle else { return Ok(response) };
    let (bucket, key, known) = (call.bucket()?, call.key()?, call.gateway.known_rules());
    let Some(rules) = known.of(call.gateway.metadata(), &bucket, revision).await else { return Ok(response) };
    let version = VersionFacts {
        key: key.as_str(),
        sequence: object.sequence,
        last_modified_ms: object.last_modified_ms,
        size: object.size,
        // Objects have no tags yet.
        tags: &[],
        is_marker: false,
    };
    Ok(match expiry(&rules, &version, known.day) {
        Some(expiry) => response.header(HEADER, header(expiry)),
        None => response,
    })
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
    fn the_header_is_as_s3_writes_it() {
        let expiry = Expiry { at_ms: 1_356_048_000_000, rule: "old \"logs\"" };
        let expected = "expiry-date=\"Fri, 21 Dec 2012 00:00:00 GMT\", rule-id=\"old%20%22logs%22\"";
        assert_eq!(header(expiry), expected);
    }
}
