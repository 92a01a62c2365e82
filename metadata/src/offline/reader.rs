//! Reads the state of a stopped metadata service.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{BucketId, DiskNumber, ExtentId, SessionId, UploadId};
use cairn_core::shard::ShardId;
use cairn_core::threads::Threads;
use cairn_protocol::metadata::ExtentRun;
use cairn_protocol::metadata::content::Content;
use redb::ReadableTable;

use super::copy::{self, Scratch};
use super::error::OfflineError;
use super::records::{Excused, RecordedExtent, RecordedObject};
use super::source::Source;
use crate::directory::Directory;
use crate::error::StoreError;
use crate::state::tables::AllVersions;
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::extents::ExtentRow;
use crate::state::tables::parts::PartRow;
use crate::state::tables::reclaim::{Garbage, ReclaimRow};
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, View, counters, parts, rebuilds, repair, sessions};
use cairn_core::id::MemberId;

/// The state of a stopped metadata service.
pub struct OfflineReader {
    view: View,
    map: Arc<ClusterMap>,
    source: Source,
    // Closed before the files that it has open are removed.
    _directory: Directory,
    _scratch: Scratch,
}

impl OfflineReader {
    /// Reads the directories of stopped members. Copies are made under `scratch`, which needs room for them, and are
    /// removed afterwards.
    pub fn open(
        dirs: &[PathBuf],
        scratch: &Path,
        clock: Arc<dyn Clock>,
        threads: &dyn Threads,
    ) -> Result<Self, OfflineError> {
        let scratch = Scratch::create(scratch)?;
        let (directory, mut source) = copy::newest(dirs, &scratch, clock, threads)?;
        directory.apply_rest()?;
        source.log_index = directory.log.end().index;
        let view = directory.machine.view()?;
        let map = directory.machine.map().ok_or_else(|| OfflineError::NotFormed { dir: source.dir.clone() })?;
        let voters: Vec<MemberId> = directory.machine.membership()?.membership().voter_ids().collect();
        source.voters = voters.len();
        source.voters_given = copy::members(dirs)?.into_iter().filter(|member| voters.contains(member)).count();
        Ok(Self { view, map, source, _directory: directory, _scratch: scratch })
    }

    /// The member that is read.
    pub fn source(&self) -> &Source {
        &self.source
    }

    pub fn map(&self) -> &ClusterMap {
        &self.map
    }

    /// Passes every extent that has a row to `visit`, in id order.
    pub fn extents(&self, mut visit: impl FnMut(RecordedExtent)) -> Result<(), StoreError> {
        let queue = self.view.repair()?;
        for entry in self.view.extents()?.iter()? {
            let (key, row) = entry?;
            let (id, row) = (ExtentId::from_bytes(key.value()), ExtentRow::read(row.value())?);
            let reported = repair::of(&queue, id)?;
            visit(RecordedExtent { id, geometry: row.geometry, locations: row.locations, reported });
        }
        Ok(())
    }

    /// Passes every version of every object to `visit`.
    pub fn objects(&self, mut visit: impl FnMut(RecordedObject)) -> Result<(), StoreError> {
        let mut names = std::collections::HashMap::new();
        for entry in self.view.buckets()?.iter()? {
            let (name, row) = entry?;
            names.insert(BucketRow::read(row.value())?.id, String::from_utf8_lossy(name.value()).into_owned());
        }
        for entry in AllVersions::all(&self.view)? {
            let (key, row) = entry?;
            let (bucket, key, _) = key.value();
            let row = VersionRow::read(row.value())?;
            let runs = match row.content {
                Content::Empty => Vec::new(),
                Content::Run(run) => vec![run],
                Content::Parts(upload) => self.runs_of(upload)?,
            };
            let bucket = names.get(&BucketId(bucket)).cloned().unwrap_or_default();
            visit(RecordedObject { bucket, key: String::from_utf8_lossy(key).into_owned(), size: row.size, runs });
        }
        Ok(())
    }

    fn runs_of(&self, upload: UploadId) -> Result<Vec<ExtentRun>, StoreError> {
        let mut runs = Vec::new();
        for part in parts::from(&self.view.parts()?, upload, 0)? {
            runs.extend(part?.1.run);
        }
        Ok(runs)
    }

    /// Passes to `visit` every referenced run of extents outside single-run objects: parts, of objects and of uploads
    /// in progress, and content that waits for reclaim.
    pub fn other_runs(&self, mut visit: impl FnMut(ExtentRun)) -> Result<(), StoreError> {
        for entry in self.view.parts()?.iter()? {
            PartRow::read(entry?.1.value())?.run.into_iter().for_each(&mut visit);
        }
        for entry in self.view.reclaim()?.iter()? {
            match ReclaimRow::read(entry?.1.value())?.garbage {
                Garbage::Run(run) => visit(run),
                // Their rows were seen above; a copy left behind keeps no row alive.
                Garbage::Parts(_) | Garbage::Shard { .. } => {}
            }
        }
        Ok(())
    }

    /// Shards that may be on a disk although no row locates them there.
    pub fn excused(&self) -> Result<Excused, StoreError> {
        let mut excused = Excused::default();
        for entry in self.view.reclaim()?.iter()? {
            if let Garbage::Shard { extent, index, disk } = ReclaimRow::read(entry?.1.value())?.garbage {
                excused.left_behind.insert((ShardId { extent, index }, disk));
            }
        }
        for entry in self.view.rebuilds()?.iter()? {
            let (key, row) = entry?;
            let (rebuilds_key, (_, target, _)): (rebuilds::Key, rebuilds::Value) = (key.value(), row.value());
            let shard = ShardId { extent: ExtentId::from_bytes(rebuilds_key.0), index: rebuilds_key.1 };
            excused.rebuilding.insert((shard, DiskNumber(target)));
        }
        excused.open_sessions = sessions::all(&self.view.sessions()?)?.into_iter().map(|(id, _)| id).collect();
        excused.last_session = SessionId(counters::get(&self.view.counters()?, counters::SESSION)?);
        Ok(excused)
    }
}
