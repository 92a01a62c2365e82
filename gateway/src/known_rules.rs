//! The lifecycle rules of buckets, as far as this gateway has asked for them.
//!
//! With each object the metadata service names the commit that set its bucket's rules. The gateway keeps the rules of
//! some buckets and asks again when that commit is another.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::Rule;
use cairn_core::name::BucketName;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::metadata::query::GetLifecycle;
use cairn_protocol::metadata::{Metadata, MetadataExt};

/// Buckets whose rules are kept. At the limit all are forgotten, and asked for again when needed.
const BUCKETS_KEPT_MAX: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct KnownRules {
    buckets: Mutex<HashMap<BucketName, Known>>,
}

/// The rules of a bucket and the commit that set them.
#[derive(Debug, Clone)]
struct Known {
    revision: CommitSequence,
    rules: Arc<[Rule]>,
}

impl KnownRules {
    /// The rules that `revision` set for `bucket`; `None` if the metadata service does not answer, or they have been
    /// removed since.
    pub(crate) async fn of(
        &self,
        metadata: &dyn Metadata,
        bucket: &BucketName,
        revision: CommitSequence,
    ) -> Option<Arc<[Rule]>> {
        let known = self.buckets.lock().ignore_poison().get(bucket).cloned();
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return Some(known.rules);
        }
        let view = match metadata.ask(GetLifecycle { bucket: bucket.clone() }).await {
            Ok(view) => view?,
            Err(error) => {
                tracing::debug!(%bucket, %error, "could not fetch lifecycle rules; answering without x-amz-expiration");
                return None;
            }
        };
        let rules: Arc<[Rule]> = view.rules.into();
        let mut all = self.buckets.lock().ignore_poison();
        if all.len() >= BUCKETS_KEPT_MAX {
            all.clear();
        }
        all.insert(bucket.clone(), Known { revision: view.revision, rules: Arc::clone(&rules) });
        Some(rules)
    }
}
