//! Writes a backup: a consistent view of all tables at one log entry, frame by frame, into a file beside the state. Whoever wants
//! the backup reads that file: somebody slow would keep a view open, and the state would grow meanwhile.

use std::io::{self, BufReader, Read};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_core::id::COMMANDS_PER_ENTRY_MAX;
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetClusterStatus;
use openraft::Snapshot;

use super::format::{End, FrameWriter, Head, Kind};
use super::{BackupError, BackupSummary, verify};
use crate::error::StoreError;
use crate::raft::TypeConfig;
use crate::raft::fitness::STATE_FORMAT;
use crate::raft::machine::Machine;
use crate::raft::snapshot::{SnapshotData, Spool, drain};
use crate::raft::snapshot_builder;
use crate::service::Handle;
use crate::state::commands::place;
use crate::state::tables::{meta, usage};

/// Pause between checks whether this member has everything acknowledged before the backup began.
const CATCH_UP_STEP: Duration = Duration::from_millis(20);
/// Bytes of a piece.
const PIECE_BYTES: usize = 1 << 20;

/// A whole backup in a file of the member, which is removed with this value. It does not contain what was written since it began.
pub struct BackupReader {
    spool: Arc<Spool>,
    position: u64,
}

impl Handle {
    /// Makes a backup of everything that was acknowledged before this call. Takes as long as the member's disk does for all rows,
    /// which take room beside the state as long as the reader lives. Fails if that would touch the member's reserve, or if two
    /// other backups are being read.
    pub async fn backup(&self) -> Result<BackupReader, BackupError> {
        let status = self.ask(GetClusterStatus {}).await;
        let damaged = |detail: String| StoreError::Damaged { table: "meta", detail };
        let commit = status.map_err(|e| damaged(e.to_string()))?.commit;
        while self.machine().commit() < commit {
            tokio::time::sleep(CATCH_UP_STEP).await;
        }
        let machine = Arc::clone(self.machine());
        let written_ms = self.leader().wall_ms();
        // Dropped with this call: then nobody waits for the backup.
        let wanted = Arc::new(());
        let asked = Arc::downgrade(&wanted);
        let written = tokio::task::spawn_blocking(move || write(&machine, written_ms, asked)).await;
        let spool = Arc::new(written.map_err(|e| damaged(e.to_string()))??);
        Ok(BackupReader { spool, position: 0 })
    }
}

fn write(machine: &Machine, written_ms: u64, wanted: Weak<()>) -> Result<Spool, BackupError> {
    let cluster = machine.map().map(|map| map.cluster).ok_or(BackupError::NotFormed)?;
    let Snapshot::<TypeConfig> { meta: described, snapshot } = snapshot_builder::take(machine)?;
    let (Some(applied), SnapshotData::Live(live)) = (described.last_log_id, *snapshot) else {
        return Err(BackupError::NotFormed);
    };
    let objects = usage::get(&live.view.usage()?, usage::TOTAL)?.objects;
    let commit = place(meta::group(&live.view.meta()?)?, applied.index, COMMANDS_PER_ENTRY_MAX - 1)?;
    let head = Head { cluster, applied: applied.into(), commit, written_ms, state_format: STATE_FORMAT, objects };
    let (start, mut writer) = FrameWriter::begin();
    let mut spool = machine.backups().begin(wanted)?;
    spool.append(&start)?;
    spool.append(&writer.frame(Kind::Head, &cairn_protocol::rpc::encode(&head)))?;
    let mut frames = 0;
    drain(live.view, |records, _| {
        frames += 1;
        spool.append(&writer.frame(Kind::Records, records))
    })?;
    spool.append(&writer.frame(Kind::End, &cairn_protocol::rpc::encode(&End { frames })))?;
    Ok(spool)
}

impl BackupReader {
    /// Bytes of the whole backup.
    pub fn bytes(&self) -> u64 {
        self.spool.bytes()
    }

    /// The next piece, of at most 1 MiB; `None` after the last. Blocks on disk reads. Fails once the filesystem has less room than
    /// the member's reserve: the file gives way then.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, BackupError> {
        self.spool.check_room()?;
        let piece = self.take(PIECE_BYTES)?;
        Ok(Some(piece).filter(|piece| !piece.is_empty()))
    }

    /// Reads the whole backup back and checks every byte of it. Pieces go on where they were.
    pub fn verify(&self) -> Result<BackupSummary, BackupError> {
        let again = Self { spool: Arc::clone(&self.spool), position: 0 };
        verify(BufReader::with_capacity(PIECE_BYTES, again))
    }

    fn take(&mut self, bytes_max: usize) -> Result<Vec<u8>, StoreError> {
        let taken = self.spool.read(self.position, bytes_max)?;
        self.position += taken.len() as u64;
        Ok(taken)
    }
}

impl Read for BackupReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let taken = self.take(out.len()).map_err(io::Error::other)?;
        // Never longer than was asked for.
        out.iter_mut().zip(&taken).for_each(|(to, from)| *to = *from);
        Ok(taken.len())
    }
}
