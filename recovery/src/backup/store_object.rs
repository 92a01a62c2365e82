//! Stores a backup as a system object and reads it back.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::descriptor::Descriptor;
use cairn_core::etag::ETag;
use cairn_core::id::NodeId;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_gateway::body::{BodyHasher, ChecksumSet};
use cairn_gateway::data::{Background, DataPath, DataPathOptions};
use cairn_metadata::Handle;
use cairn_metadata::backup::{BackupError, BackupReader, BackupSummary};
use cairn_protocol::metadata::command::{CommitObject, EndSession, Precondition};
use cairn_protocol::metadata::query::GetObject;
use cairn_protocol::metadata::{Metadata, MetadataExt};
use cairn_protocol::storage::StorageDirectory;

use super::backup_source::BackupSource;
use super::error::StoreBackupError;
use crate::backup_key;
use crate::disks::etag_of_reader;

/// Time for a session and the cluster map to arrive, in steps.
const READY_STEPS_MAX: u32 = 300;
const READY_STEP: Duration = Duration::from_millis(100);
/// Extents that a query locates at a time; the reader asks for more.
const LOCATED_EXTENTS: u32 = 16;

/// A data path with a session of its own, for one backup.
pub(super) struct BackupStore {
    member: Handle,
    path: DataPath,
    _keep_alive: Background,
}

impl BackupStore {
    pub(super) fn open(member: &Handle, nodes: &StorageDirectory, clock: &Arc<dyn Clock>, writer: NodeId) -> Self {
        let metadata: Arc<dyn Metadata> = Arc::new(member.clone());
        // It writes one body and then reads it: the share of that is the bound, under any profile.
        let options = DataPathOptions { gateway: writer, name: String::new(), memory_bytes: u64::MAX };
        let path = DataPath::for_system_objects(metadata, nodes.clone(), &options, Arc::clone(clock));
        let keep_alive = Background::spawn(path.clone().keep_alive());
        Self { member: member.clone(), path, _keep_alive: keep_alive }
    }

    /// Stores the backup of `reader`, and reads it back from the disks.
    pub(super) async fn store(&self, summary: &BackupSummary, reader: BackupReader) -> Result<(), StoreBackupError> {
        self.wait_until_ready().await?;
        let (key, bytes) = (backup_key::of(summary.commit)?, reader.bytes());
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
        let mut source = BackupSource::new(reader);
        let digest = BodyHasher::new(ChecksumSet::default());
        let written = self.path.writer().write(&mut source, bytes, digest, descriptor).await?;
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
            revision: None,
        };
        self.path.commit(command, session, placed).await?;
        self.read_back(key, etag).await
    }

    async fn wait_until_ready(&self) -> Result<(), StoreBackupError> {
        for _ in 0..READY_STEPS_MAX {
            if self.path.is_ready() {
                return Ok(());
            }
            tokio::time::sleep(READY_STEP).await;
        }
        Err(StoreBackupError::NotReady { waited_s: (READY_STEP * READY_STEPS_MAX).as_secs() })
    }

    /// The backup was verified before it was written: with the same digest, it is whole on the disks.
    async fn read_back(&self, key: ObjectKey, etag: ETag) -> Result<(), StoreBackupError> {
        let bucket = BucketName::system();
        let query = GetObject { bucket, key, part: None, range: None, extents: LOCATED_EXTENTS, version: None };
        let view = self.member.ask(query).await?;
        let reader = self.path.read(view.version.content, 0..view.version.size, view.located).await?;
        if etag_of_reader(reader).await? == etag {
            return Ok(());
        }
        let detail = "the disks do not hold what was written".to_owned();
        Err(BackupError::Damaged { position: 0, detail }.into())
    }

    /// Ends the session. If that fails, it ends with its lease.
    pub(super) async fn close(self) {
        if let Ok(session) = self.path.session.id()
            && let Err(error) = self.member.run(EndSession { session }).await
        {
            tracing::debug!(%error, "cannot end the session of a backup; it ends with its lease");
        }
    }
}
