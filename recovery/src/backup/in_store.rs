//! Backups of the metadata in the store itself: system objects, erasure-coded like all others, under keys that no request
//! can name. The newest are kept; a new one is read back before an older one is deleted.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::NodeId;
use cairn_core::name::BucketName;
use cairn_core::random::RandomSource;
use cairn_metadata::Handle;
use cairn_metadata::backup::{BackupError, BackupSummary};
use cairn_protocol::metadata::command::{DeleteObject, Precondition};
use cairn_protocol::metadata::content::ListedObject;
use cairn_protocol::metadata::query::{ListObjects, ListPosition};
use cairn_protocol::metadata::{MetadataError, MetadataExt};
use cairn_protocol::storage::StorageDirectory;

use super::error::StoreBackupError;
use super::store_object::BackupStore;
use crate::backup_key;

/// Time between two checks whether a backup is due.
const POLL: Duration = Duration::from_mins(1);
/// Backups listed at a time; far more than are ever kept.
const LIST_MAX: u32 = 1000;

/// What backups into the store need.
pub struct StoreBackupOptions {
    pub member: Handle,
    pub nodes: StorageDirectory,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    /// Older backups are deleted once a newer one has been read back. One is always kept.
    pub kept: usize,
}

/// Backups into the store.
pub struct BackupsInStore {
    options: StoreBackupOptions,
    /// One backup at a time: each takes room beside the state.
    running: tokio::sync::Mutex<()>,
}

impl BackupsInStore {
    pub fn new(options: StoreBackupOptions) -> Self {
        Self { options, running: tokio::sync::Mutex::default() }
    }

    /// Makes a backup at every interval while the member leads. Runs for ever.
    pub async fn run(self: Arc<Self>, interval: Duration) {
        let started = self.options.clock.monotonic();
        loop {
            tokio::time::sleep(POLL.min(interval)).await;
            if !self.options.member.leads() {
                continue;
            }
            let up_for = self.options.clock.monotonic().saturating_sub(started);
            match self.back_up_if_due(up_for, interval).await {
                Ok(Some(made)) => tracing::info!(
                    commit = %made.commit, objects = made.objects, bytes = made.bytes,
                    "the metadata was backed up into the store and read back"
                ),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the metadata was not backed up into the store; retrying"),
            }
        }
    }

    async fn back_up_if_due(
        &self,
        up_for: Duration,
        interval: Duration,
    ) -> Result<Option<BackupSummary>, StoreBackupError> {
        let newest_ms = self.list().await?.last().map(|object| object.last_modified_ms);
        if is_due(newest_ms, self.options.clock.now_ms(), up_for, interval) {
            self.back_up().await.map(Some)
        } else {
            Ok(None)
        }
    }

    async fn list(&self) -> Result<Vec<ListedObject>, MetadataError> {
        let query = ListObjects {
            bucket: BucketName::system(),
            prefix: backup_key::PREFIX.to_owned(),
            delimiter: String::new(),
            position: ListPosition::Start,
            limit: LIST_MAX,
        };
        Ok(self.options.member.ask(query).await?.objects)
    }

    /// Makes one backup, reads it back, and deletes those that are too old to be kept.
    pub async fn back_up(&self) -> Result<BackupSummary, StoreBackupError> {
        let _one_at_a_time = self.running.lock().await;
        let made = self.make_and_store().await?;
        let listed = self.list().await?;
        for old in listed.iter().take(listed.len().saturating_sub(self.options.kept.max(1))) {
            let (bucket, key) = (BucketName::system(), old.key.clone());
            let precondition = Precondition::default();
            self.options.member.run(DeleteObject { bucket, key, precondition, version: None, revision: None }).await?;
        }
        Ok(made)
    }

    async fn make_and_store(&self) -> Result<BackupSummary, StoreBackupError> {
        let StoreBackupOptions { member, nodes, clock, random, .. } = &self.options;
        let reader = member.backup().await?;
        let checked = tokio::task::spawn_blocking(move || Ok::<_, BackupError>((reader.verify()?, reader)));
        let (summary, reader) = checked.await??;
        let store = BackupStore::open(member, nodes, clock, NodeId::from_random(random.bytes16()));
        let stored = store.store(&summary, reader).await;
        store.close().await;
        stored.map(|()| summary)
    }
}

/// Whether a backup is due. Clocks decide only when one is made, never which is the newest.
fn is_due(newest_ms: Option<u64>, now_ms: u64, up_for: Duration, interval: Duration) -> bool {
    match newest_ms {
        Some(newest) => u128::from(now_ms.abs_diff(newest)) >= interval.as_millis(),
        None => up_for >= interval,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backup_is_due_after_an_interval_whatever_the_clock_did() {
        let hour = Duration::from_hours(1);
        let check = |newest, now, up, expected| {
            assert_eq!(is_due(newest, now, Duration::from_secs(up), hour), expected, "{newest:?} {now} {up}");
        };
        check(None, 0, 3599, false);
        check(None, 0, 3600, true);
        check(Some(1000), 1000 + 3_599_999, 9999, false);
        check(Some(1000), 1000 + 3_600_000, 1, true);
        check(Some(900_000_000), 1000, 1, true);
    }
}
