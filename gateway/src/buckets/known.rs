//! What is known of one bucket.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::{Rule, Tag};
use cairn_protocol::metadata::query::StampedDocument;
use cairn_protocol::metadata::settings::{BucketRecord, DocumentError, SettingKind, read_lifecycle};

/// A bucket's record with its documents, as far as this release knows their kinds.
#[derive(Debug, Clone)]
pub struct KnownBucket {
    /// The record.
    pub record: BucketRecord,
    /// The rules, if the record has any.
    lifecycle: Option<KnownRules>,
    /// It was in force at some time after this one, by the monotonic clock.
    pub(super) as_of: Duration,
}

#[derive(Debug, Clone)]
struct KnownRules {
    revision: CommitSequence,
    rules: Result<Arc<[Rule]>, DocumentError>,
    /// In memory.
    bytes: usize,
}

impl KnownBucket {
    /// Puts a record together with its documents: those that came with it, and those that are known already. `None` if one
    /// is missing.
    pub(super) fn of(
        record: BucketRecord,
        documents: Vec<StampedDocument>,
        known: Option<&Self>,
        as_of: Duration,
    ) -> Option<Self> {
        let lifecycle = match record.document(SettingKind::LIFECYCLE) {
            None => None,
            Some(revision) => {
                let is_it = |sent: &StampedDocument| sent.kind == SettingKind::LIFECYCLE && sent.revision == revision;
                let sent = documents.iter().find(|sent| is_it(sent)).map(KnownRules::of);
                let before = || known.and_then(|known| known.lifecycle.clone()).filter(|k| k.revision == revision);
                Some(sent.or_else(before)?)
            }
        };
        Some(Self { record, lifecycle, as_of })
    }

    /// The lifecycle rules; `None` if the bucket has none.
    ///
    /// # Errors
    /// If this release does not understand them.
    pub fn rules(&self) -> Result<Option<Arc<[Rule]>>, DocumentError> {
        self.lifecycle.as_ref().map(|known| known.rules.clone()).transpose()
    }

    /// The same, known to have been in force after `asked`.
    pub(super) fn as_of(&self, asked: Duration) -> Self {
        Self { as_of: asked, ..self.clone() }
    }

    /// Whether its rules are those that the commit `revision` set.
    pub(super) fn record_names_rules(&self, revision: CommitSequence) -> bool {
        self.record.document(SettingKind::LIFECYCLE) == Some(revision)
    }

    /// In memory, roughly.
    pub(super) fn bytes(&self) -> usize {
        let stamps = size_of_val(self.record.documents.as_slice());
        let lifecycle = self.lifecycle.as_ref().map_or(0, |known| known.bytes);
        size_of::<Self>() + self.record.region.len() + stamps + lifecycle
    }
}

impl KnownRules {
    fn of(sent: &StampedDocument) -> Self {
        let rules = read_lifecycle(&sent.document);
        let tags: usize = rules.iter().flatten().map(|rule| rule.filter.tags.len()).sum();
        let count = rules.as_ref().map_or(0, Vec::len);
        // The texts in the rules are no longer than the document.
        let bytes = sent.document.bytes.len() + count * size_of::<Rule>() + tags * size_of::<Tag>();
        Self { revision: sent.revision, rules: rules.map(Into::into), bytes }
    }
}
