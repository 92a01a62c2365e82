//! Writes a backup: a consistent view of all tables at one log entry, frame by frame.

use std::sync::Arc;

use cairn_core::id::COMMANDS_PER_ENTRY_MAX;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetClusterStatus;
use openraft::Snapshot;

use super::BackupError;
use super::format::{End, FrameWriter, Head, Kind};
use crate::error::StoreError;
use crate::raft::TypeConfig;
use crate::raft::fitness::STATE_FORMAT;
use crate::raft::snapshot::{self, Position, SnapshotData};
use crate::raft::snapshot_builder;
use crate::service::Handle;
use crate::state::commands::place;
use crate::state::tables::{View, meta, usage};

/// Pause between checks whether this member has everything acknowledged before the backup began.
const CATCH_UP_STEP: std::time::Duration = std::time::Duration::from_millis(20);

/// Returns a backup in pieces. It does not contain what is written while it is read.
pub struct BackupReader {
    view: Arc<View>,
    writer: FrameWriter,
    start: Option<Vec<u8>>,
    position: Option<Position>,
    frames: u64,
    is_done: bool,
}

impl Handle {
    /// Begins a backup of everything that was acknowledged before this call.
    pub async fn backup(&self) -> Result<BackupReader, BackupError> {
        let status = self.ask(GetClusterStatus {}).await;
        let damaged = |detail: String| StoreError::Damaged { table: "meta", detail };
        let commit = status.map_err(|e| damaged(e.to_string()))?.commit;
        while self.machine().commit() < commit {
            tokio::time::sleep(CATCH_UP_STEP).await;
        }
        let machine = Arc::clone(self.machine());
        let written_ms = self.leader().wall_ms();
        let taken = tokio::task::spawn_blocking(move || {
            let cluster = machine.map().map(|map| map.cluster).ok_or(BackupError::NotFormed)?;
            Ok::<_, BackupError>((snapshot_builder::take(&machine)?, cluster))
        });
        let (taken, cluster) = taken.await.map_err(|e| damaged(e.to_string()))??;
        let Snapshot::<TypeConfig> { meta, snapshot } = taken;
        let (Some(applied), SnapshotData::Live(view)) = (meta.last_log_id, *snapshot) else {
            return Err(BackupError::NotFormed);
        };
        let objects = usage::get(&view.usage()?, usage::TOTAL)?.objects;
        let commit = place(meta::group(&view.meta()?)?, applied.index, COMMANDS_PER_ENTRY_MAX - 1)?;
        let head = Head { cluster, applied: applied.into(), commit, written_ms, state_format: STATE_FORMAT, objects };
        let (mut start, mut writer) = FrameWriter::begin();
        start.extend(writer.frame(Kind::Head, &cairn_protocol::rpc::encode(&head)));
        let position = Some(Position::default());
        Ok(BackupReader { view, writer, start: Some(start), position, frames: 0, is_done: false })
    }
}

impl BackupReader {
    /// The next piece; `None` after the last. Blocks on disk reads.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        if let Some(start) = self.start.take() {
            return Ok(Some(start));
        }
        if let Some(from) = self.position.take() {
            let (records, next) = snapshot::chunk(&self.view, from)?;
            self.position = next;
            self.frames += 1;
            return Ok(Some(self.writer.frame(Kind::Records, &records)));
        }
        if self.is_done {
            return Ok(None);
        }
        self.is_done = true;
        let end = cairn_protocol::rpc::encode(&End { frames: self.frames });
        Ok(Some(self.writer.frame(Kind::End, &end)))
    }
}
