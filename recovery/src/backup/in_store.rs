//! Backups of the metadata in the store itself: system objects, erasure-coded like all others, under keys that no request
//! can name. The newest are kept; they are read back before an older one goes.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::clock::Clock;
use cairn_core::descriptor::Descriptor;
use cairn_core::etag::ETag;
use cairn_core::id::NodeId;
use cairn_core::name::{BucketName, ObjectKey, ObjectKeyError};
use cairn_core::random::RandomSource;
use cairn_core::storage_class::StorageClass;
use cairn_gateway::body::{BodyHasher, ChecksumSet};
use cairn_gateway::data::{Background, BodySource, DataPath, DataPathOptions, ReadError, WriteError};
use cairn_metadata::Handle;
use cairn_metadata::backup::{self, BackupError, BackupSummary};
use cairn_protocol::metadata::command::{CommitObject, DeleteObject, EndSession, Precondition};
use cairn_protocol::metadata::content::ListedObject;
use cairn_protocol::metadata::query::{GetObject, ListObjects, ListPosition};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt};
use cairn_protocol::storage::StorageDirectory;

use crate::backup_key;
use crate::disks::etag_of_reader;

/// Time between two looks at whether a backup is due.
const POLL: Duration = Duration::from_mins(1);
/// Memory of the writer and the reader.
const MEMORY_BYTES: u64 = 64 << 20;
/// Bytes read from the file at a time.
const PIECE_BYTES: usize = 1 << 20;
/// Time for the session and the cluster map to be there, in steps.
const READY_STEPS_MAX: u32 = 300;
const READY_STEP: Duration = Duration::from_millis(100);
/// Backups listed at a time; far more than are ever kept.
const LIST_MAX: u32 = 1000;

/// What a backup into the store needs.
pub struct BackupsInStore {
    pub member: Handle,
    pub nodes: StorageDirectory,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn RandomSource>,
    /// Where it is put together before its size is known.
    pub spool: PathBuf,
    /// Backups that are kept; one is always.
    pub kept: usize,
    /// One at a time.
    pub running: tokio::sync::Mutex<()>,
}

/// Why there is no new backup. Those before are still there.
#[derive(Debug, thiserror::Error)]
pub enum StoreBackupError {
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the metadata service: {0}")]
    Metadata(#[from] MetadataError),
    #[error("the storage nodes do not take it: {0}")]
    Write(#[from] WriteError<io::Error>),
    #[error("it does not read back: {0}")]
    Read(#[from] ReadError),
    #[error("no session and no disks within {:?}", READY_STEP * READY_STEPS_MAX)]
    NotReady,
    #[error("{0}")]
    Key(#[from] ObjectKeyError),
    #[error("the task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

impl BackupsInStore {
    /// Runs for ever.
    pub async fn run(self: Arc<Self>, interval: Duration) {
        let started = self.clock.monotonic();
        loop {
            tokio::time::sleep(POLL.min(interval)).await;
            if !self.member.leads() {
                continue;
            }
            let up_for = self.clock.monotonic().saturating_sub(started);
            let made = async {
                if is_due(self.newest_ms().await?, self.clock.now_ms(), up_for, interval) {
                    self.back_up().await.map(Some)
                } else {
                    Ok::<_, StoreBackupError>(None)
                }
            };
            match made.await {
                Ok(Some(made)) => tracing::info!(
                    commit = %made.commit, objects = made.objects, bytes = made.bytes,
                    "the metadata is backed up into the store and read back"
                ),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, "the metadata is not backed up into the store; it is tried again soon");
                }
            }
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
        Ok(self.member.ask(query).await?.objects)
    }

    async fn newest_ms(&self) -> Result<Option<u64>, MetadataError> {
        Ok(self.list().await?.last().map(|object| object.last_modified_ms))
    }

    /// Makes one backup, reads it back, and lets go of those that are kept.
    pub async fn back_up(&self) -> Result<BackupSummary, StoreBackupError> {
        let _one_at_a_time = self.running.lock().await;
        let made = self.spool_and_store().await;
        if let Err(error) = std::fs::remove_file(&self.spool)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %self.spool.display(), %error, "a file that is not needed any more is left");
        }
        let made = made?;
        let listed = self.list().await?;
        for old in listed.iter().take(listed.len().saturating_sub(self.kept.max(1))) {
            let (bucket, key) = (BucketName::system(), old.key.clone());
            let precondition = Precondition::default();
            self.member.run(DeleteObject { bucket, key, precondition, version: None }).await?;
        }
        Ok(made)
    }

    async fn spool_and_store(&self) -> Result<BackupSummary, StoreBackupError> {
        let (summary, bytes) = self.fill_spool().await?;
        let metadata: Arc<dyn Metadata> = Arc::new(self.member.clone());
        let writer = NodeId::from_random(self.random.bytes16());
        let options = DataPathOptions { gateway: writer, memory_bytes: MEMORY_BYTES };
        let clock = Arc::clone(&self.clock);
        let path = DataPath::for_system_objects(metadata, self.nodes.clone(), &options, clock);
        let _alive = Background::spawn(path.clone().keep_alive());
        let stored = self.store(&path, &summary, bytes).await;
        if let Ok(session) = path.session.id()
            && let Err(error) = self.member.run(EndSession { session }).await
        {
            tracing::debug!(%error, "the session of a backup ends with its lease");
        }
        stored.map(|()| summary)
    }

    /// Writes the backup to a file first: a body's size is known before its first byte is placed.
    async fn fill_spool(&self) -> Result<(BackupSummary, u64), StoreBackupError> {
        let mut reader = self.member.backup().await?;
        let spool = self.spool.clone();
        let filled = tokio::task::spawn_blocking(move || {
            let failed = |source| StoreBackupError::File { path: spool.clone(), source };
            let mut file = File::create(&spool).map_err(failed)?;
            let mut bytes = 0;
            while let Some(piece) = reader.next_piece()? {
                file.write_all(&piece).map_err(failed)?;
                bytes += piece.len() as u64;
            }
            let written = BufReader::with_capacity(PIECE_BYTES, File::open(&spool).map_err(failed)?);
            Ok((backup::verify(written)?, bytes))
        });
        filled.await?
    }

    async fn store(&self, path: &DataPath, summary: &BackupSummary, bytes: u64) -> Result<(), StoreBackupError> {
        wait_until_ready(path).await?;
        let key = backup_key::of(summary.commit)?;
        let descriptor = Descriptor {
            bucket: BucketName::system(),
            key: key.clone(),
            part: None,
            offset: 0,
            total_bytes: bytes,
            written_at_ms: summary.written_ms,
            headers: Vec::new(),
            storage_class: StorageClass::Standard,
        };
        let mut source = Spool::open(&self.spool)?;
        let digest = BodyHasher::new(ChecksumSet::default());
        let written = path.writer().write(&mut source, bytes, digest, descriptor).await?;
        let etag = ETag::single(written.digest.clone().finish().md5);
        let session = written.session;
        let placed = written.into_placed();
        let command = CommitObject {
            session,
            bucket: BucketName::system(),
            key: key.clone(),
            body: placed.clone(),
            etag,
            headers: Vec::new(),
            checksum: None,
            precondition: Precondition::default(),
            storage_class: StorageClass::Standard,
        };
        path.commit(command, session, placed).await?;
        self.read_back(path, key, etag).await
    }

    /// Reads it from the disks: what was verified before it was written is the same if its digest is.
    async fn read_back(&self, path: &DataPath, key: ObjectKey, etag: ETag) -> Result<(), StoreBackupError> {
        let bucket = BucketName::system();
        let query = GetObject { bucket, key, part: None, range: None, extents: 16, version: None };
        let view = self.member.ask(query).await?;
        let reader = path.read(view.version.content, 0..view.version.size, view.located).await?;
        if etag_of_reader(reader).await? == etag {
            return Ok(());
        }
        let detail = "what the disks hold is not what was written".to_owned();
        Err(BackupError::Damaged { position: 0, detail }.into())
    }
}

/// Whether a backup is due. Clocks decide only when one is made, never which is the newest.
fn is_due(newest_ms: Option<u64>, now_ms: u64, up_for: Duration, interval: Duration) -> bool {
    match newest_ms {
        Some(newest) => u128::from(now_ms.abs_diff(newest)) >= interval.as_millis(),
        None => up_for >= interval,
    }
}

async fn wait_until_ready(path: &DataPath) -> Result<(), StoreBackupError> {
    for _ in 0..READY_STEPS_MAX {
        if path.is_ready() {
            return Ok(());
        }
        tokio::time::sleep(READY_STEP).await;
    }
    Err(StoreBackupError::NotReady)
}

/// The file as the body of an object.
struct Spool {
    file: tokio::fs::File,
}

impl Spool {
    fn open(path: &Path) -> Result<Self, StoreBackupError> {
        let file = File::open(path).map_err(|source| StoreBackupError::File { path: path.to_owned(), source })?;
        Ok(Self { file: tokio::fs::File::from_std(file) })
    }
}

impl BodySource for Spool {
    type Error = io::Error;

    async fn next(&mut self) -> Result<Option<Bytes>, io::Error> {
        use tokio::io::AsyncReadExt;
        let mut piece = vec![0; PIECE_BYTES];
        let length = self.file.read(&mut piece).await?;
        piece.truncate(length);
        Ok((length > 0).then(|| piece.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_due_after_an_interval_whatever_the_clock_did() {
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
