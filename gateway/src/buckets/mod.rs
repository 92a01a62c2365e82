//! The records of buckets, as far as this gateway knows them.
//!
//! A request is decided by a record from memory, without a call. A write names the revision of that record; if another is in
//! force, the metadata service refuses the write with the new record, and the write is decided again. So a write is never
//! decided by an old record, and a read by one that was in force at most [`LEASE`] ago.

mod cache;
mod known;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::CommitSequence;
use cairn_core::lifecycle::Rule;
use cairn_core::name::BucketName;
use cairn_core::sync::IgnorePoison;
use cairn_protocol::metadata::query::GetBucketSettings;
use cairn_protocol::metadata::settings::BucketRecord;
use cairn_protocol::metadata::{CommandBody, Metadata, MetadataError, MetadataExt, Rejection};

use cache::Cache;
pub use known::KnownBucket;

/// For how long a record decides reads, by the monotonic clock, from the moment it was asked for.
pub const LEASE: Duration = Duration::from_secs(5);
/// Records kept.
const RECORDS_MAX: usize = 16_384;
/// Bytes that they take in memory, with their documents.
const BYTES_MAX: usize = 32 << 20;
/// How often a write is decided before it is given up, because the settings change each time.
const DECISIONS_MAX: u32 = 8;

/// The records that this gateway knows. The one that was not used for the longest time goes first.
pub struct BucketRecords {
    metadata: Arc<dyn Metadata>,
    clock: Arc<dyn Clock>,
    cache: Mutex<Cache>,
}

impl BucketRecords {
    /// Knows none yet.
    pub fn new(metadata: Arc<dyn Metadata>, clock: Arc<dyn Clock>) -> Self {
        Self { metadata, clock, cache: Mutex::new(Cache::new(RECORDS_MAX, BYTES_MAX)) }
    }

    /// The record for a read: it was in force at most [`LEASE`] ago.
    pub async fn for_read(&self, bucket: &BucketName) -> Result<Arc<KnownBucket>, MetadataError> {
        let now = self.clock.monotonic();
        match self.cached(bucket).filter(|known| now.saturating_sub(known.as_of) < LEASE) {
            Some(known) => Ok(known),
            None => self.refreshed(bucket).await,
        }
    }

    /// The record that is in force now.
    pub async fn refreshed(&self, bucket: &BucketName) -> Result<Arc<KnownBucket>, MetadataError> {
        match self.cached(bucket) {
            Some(known) => match self.ask(bucket, Some(&known)).await? {
                Some(fresh) => Ok(fresh),
                // What is known here and what was sent do not make up the record.
                None => self.whole(bucket).await,
            },
            None => self.whole(bucket).await,
        }
    }

    /// The rules that the commit `revision` set for `bucket`; `None` if the metadata service does not answer, or they have
    /// been removed since.
    pub(crate) async fn rules(&self, bucket: &BucketName, revision: CommitSequence) -> Option<Arc<[Rule]>> {
        let known = self.cached(bucket).filter(|known| known.record_names_rules(revision));
        let known = match known {
            Some(known) => known,
            None => match self.refreshed(bucket).await {
                Ok(fresh) => fresh,
                Err(error) => {
                    tracing::debug!(%bucket, %error, "could not fetch lifecycle rules; answering without x-amz-expiration");
                    return None;
                }
            },
        };
        known.rules().ok().flatten()
    }

    /// Runs a command that is decided by the settings of `bucket`. `decide` makes it under a record; if another is in force
    /// when the command is applied, it is decided again under that one. Every try but the last has ended with *no*.
    pub async fn run<C: CommandBody>(
        &self,
        bucket: &BucketName,
        mut decide: impl FnMut(&BucketRecord) -> C + Send,
    ) -> Result<C::Outcome, MetadataError> {
        let mut known = match self.cached(bucket) {
            Some(known) => known,
            None => self.refreshed(bucket).await.map_err(nothing_sent)?,
        };
        for _ in 0..DECISIONS_MAX {
            let asked = self.clock.monotonic();
            match self.metadata.run(decide(&known.record)).await {
                Err(MetadataError::Rejected(Rejection::StaleSettings(record))) => {
                    tracing::debug!(%bucket, revision = %record.revision, "settings have changed; deciding a write again");
                    known = self.learn(bucket, record, asked).await.map_err(nothing_sent)?;
                }
                Err(error) => {
                    self.forget_gone(bucket, asked, &error);
                    return Err(error);
                }
                Ok(outcome) => return Ok(outcome),
            }
        }
        Err(MetadataError::Unavailable(format!("the settings of bucket {bucket} keep changing; please try again")))
    }

    /// A query that began at `asked` was answered under `revision`.
    pub(crate) fn saw(&self, bucket: &BucketName, revision: CommitSequence, asked: Duration) {
        let mut cache = self.cache.lock().ignore_poison();
        let Some(known) = cache.get(bucket).filter(|known| known.as_of < asked) else { return };
        if known.record.revision == revision {
            cache.put(bucket, Arc::new(known.as_of(asked)));
        } else {
            cache.remove(bucket);
        }
    }

    /// When a query begins: see [`BucketRecords::saw`].
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// Keeps a record that a command was answered with. The command began at `asked`.
    async fn learn(
        &self,
        bucket: &BucketName,
        record: BucketRecord,
        asked: Duration,
    ) -> Result<Arc<KnownBucket>, MetadataError> {
        let known = self.cached(bucket);
        match KnownBucket::of(record, Vec::new(), known.as_deref(), asked) {
            Some(fresh) => Ok(self.keep(bucket, fresh)),
            // A document has changed, too.
            None => self.refreshed(bucket).await,
        }
    }

    /// Keeps the record that a change of a setting has made. If it has a document that is not known here, nothing is kept.
    pub(crate) fn learn_set(&self, bucket: &BucketName, record: BucketRecord, asked: Duration) {
        let known = self.cached(bucket);
        match KnownBucket::of(record, Vec::new(), known.as_deref(), asked) {
            Some(fresh) => drop(self.keep(bucket, fresh)),
            None => self.forget(bucket),
        }
    }

    /// The bucket was deleted.
    pub(crate) fn forget(&self, bucket: &BucketName) {
        self.cache.lock().ignore_poison().remove(bucket);
    }

    async fn whole(&self, bucket: &BucketName) -> Result<Arc<KnownBucket>, MetadataError> {
        let whole = self.ask(bucket, None).await?;
        whole.ok_or_else(|| MetadataError::Protocol(format!("the settings of bucket {bucket} lack a document")))
    }

    /// Asks for the record in force; `None` if `known` and the answer do not make up all of it.
    async fn ask(
        &self,
        bucket: &BucketName,
        known: Option<&KnownBucket>,
    ) -> Result<Option<Arc<KnownBucket>>, MetadataError> {
        let asked = self.clock.monotonic();
        let query = GetBucketSettings { bucket: bucket.clone(), known: known.map(|known| known.record.revision) };
        let answer = self.metadata.ask(query).await.inspect_err(|error| self.forget_gone(bucket, asked, error))?;
        let fresh = match (answer, known) {
            (Some(settings), known) => KnownBucket::of(settings.record, settings.documents, known, asked),
            (None, Some(known)) => Some(known.as_of(asked)),
            (None, None) => None,
        };
        Ok(fresh.map(|fresh| self.keep(bucket, fresh)))
    }

    fn cached(&self, bucket: &BucketName) -> Option<Arc<KnownBucket>> {
        self.cache.lock().ignore_poison().get(bucket)
    }

    /// Keeps `fresh`, unless what is known was asked for later.
    fn keep(&self, bucket: &BucketName, fresh: KnownBucket) -> Arc<KnownBucket> {
        let fresh = Arc::new(fresh);
        let mut cache = self.cache.lock().ignore_poison();
        if cache.get(bucket).is_none_or(|known| known.as_of <= fresh.as_of) {
            cache.put(bucket, Arc::clone(&fresh));
        }
        fresh
    }

    fn forget_gone(&self, bucket: &BucketName, asked: Duration, error: &MetadataError) {
        if let MetadataError::Rejected(Rejection::NoSuchBucket) = error {
            let mut cache = self.cache.lock().ignore_poison();
            if cache.get(bucket).is_some_and(|known| known.as_of <= asked) {
                cache.remove(bucket);
            }
        }
    }
}

/// A question before a command has failed: whatever became of its answer, the command was not sent.
fn nothing_sent(error: MetadataError) -> MetadataError {
    match error {
        MetadataError::Rejected(_) | MetadataError::Unavailable(_) => error,
        MetadataError::Unknown(detail) | MetadataError::Protocol(detail) | MetadataError::Store(detail) => {
            MetadataError::Unavailable(format!("the settings of the bucket could not be read: {detail}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// I40: before a command is sent, no failure leaves its outcome open.
    #[test]
    fn a_failed_question_is_a_definite_no() {
        let detail = || "detail".to_owned();
        for error in [
            MetadataError::Rejected(Rejection::NoSuchBucket),
            MetadataError::Unavailable(detail()),
            MetadataError::Unknown(detail()),
            MetadataError::Protocol(detail()),
            MetadataError::Store(detail()),
        ] {
            assert!(nothing_sent(error.clone()).is_definite_no(), "{error}");
        }
    }
}
