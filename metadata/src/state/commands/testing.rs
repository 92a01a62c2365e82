//! A state in memory, on the real tables, for tests of commands and queries.

use std::cell::Cell;
use std::sync::Arc;

use cairn_core::cluster_map::{ClusterMap, DiskState, Labels};
use cairn_core::etag::ETag;
use cairn_core::geometry::Geometry;
use cairn_core::id::{BucketId, ClusterId, CommitSequence, DiskId, DiskNumber, ExtentId, GroupId, NodeId};
use cairn_core::id::{PartNumber, ProfileId, SessionId, UploadId};
use cairn_core::lifecycle::{Expiration, Filter, Rule};
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::profile::{FailureDomain, Profile};
use cairn_core::release::{FeatureLevel, Release};
use cairn_core::storage_class::StorageClass;
use cairn_core::version::Versioning;
use cairn_protocol::metadata::command::{
    AbortUpload, CommitObject, CommitPart, CompletePart, CompleteUpload, CreateBucket, CreateUpload, DeleteObject,
    DiskRegistration, OpenSession, Precondition, ReclaimId, RegisterNode, SetBucketSetting, SettingChange,
};
use cairn_protocol::metadata::query::RestoreHold;
use cairn_protocol::metadata::settings::{SettingKind, lifecycle_document};
use cairn_protocol::metadata::{ExtentRun, Outcome, PlacedExtent, PlacedRun, Rejection};
use redb::backends::InMemoryBackend;
use redb::{Database, ReadableTable, ReadableTableMetadata};

use super::{Bootstrap, Context};
use crate::state::stored::StoredCommand;
use crate::state::tables::reclaim::{Garbage, ReclaimRow};
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{
    AllVersions, Row, Tables, View, buckets, extents, meta, reclaim, sessions, usage, versions,
};

/// Small, so that a body of a few bytes has several extents.
pub(crate) const EXTENT_BYTES: u64 = 64;

/// The tables with one bucket and one session.
pub(crate) struct State {
    pub(crate) database: Arc<Database>,
    index: Cell<u64>,
    counter: Cell<u64>,
    session: Cell<SessionId>,
    bucket: BucketName,
}

impl State {
    pub(crate) fn new() -> Self {
        let database = Arc::new(Database::builder().create_with_backend(InMemoryBackend::new()).unwrap());
        let session = Cell::new(SessionId(0));
        let state = Self {
            database,
            index: Cell::new(1),
            counter: Cell::new(0),
            session,
            bucket: BucketName::new("photos").unwrap(),
        };
        let profiles = Profile::defaults(FailureDomain::Disk);
        let bootstrap = Bootstrap {
            cluster: ClusterId::from_random([1; 16]),
            profiles,
            members: None,
            level: FeatureLevel::NEWEST,
        };
        state.write(|tables| {
            meta::put(&mut tables.meta, meta::GROUP, &GroupId::FIRST).unwrap();
            super::bootstrap(tables, &bootstrap).unwrap();
        });
        state.session.set(state.open_session(1));
        state
    }

    pub(crate) fn with_bucket() -> Self {
        let state = Self::new();
        state.create_bucket();
        state
    }

    pub(crate) fn create_bucket(&self) {
        self.apply(CreateBucket { name: self.bucket(), region: String::new() }).unwrap();
    }

    pub(crate) fn write<T>(&self, change: impl FnOnce(&mut Tables<'_>) -> T) -> T {
        let transaction = self.database.begin_write().unwrap();
        let out = change(&mut Tables::open(&transaction).unwrap());
        transaction.commit().unwrap();
        out
    }

    pub(crate) fn view(&self) -> View {
        View::new(&self.database).unwrap()
    }

    pub(crate) fn apply(&self, command: impl Into<StoredCommand>) -> Result<Outcome, Rejection> {
        self.index.set(self.index.get() + 1);
        let index = self.index.get();
        let context =
            Context { sequence: CommitSequence::new(GroupId::FIRST, index, 3).unwrap(), now_ms: 1000 * index };
        self.write(|tables| super::apply(tables, &command.into(), context).unwrap())
    }

    /// The rejection of `command`, which must leave no trace.
    pub(crate) fn refused(&self, command: impl Into<StoredCommand>) -> Rejection {
        let before = self.fingerprint();
        let rejection = self.apply(command).expect_err("the command is refused");
        assert_eq!(self.fingerprint(), before, "a refused command leaves no trace");
        rejection
    }

    /// The number of rows of every table, and the sums.
    fn fingerprint(&self) -> Vec<u64> {
        let mut out = Vec::new();
        macro_rules! count {
            ($($number:literal => $table:ident),*) => {
                $(out.push(self.view().$table().unwrap().len().unwrap());)*
            };
        }
        crate::state::tables::for_each_table!(count);
        let usage = usage::get(&self.view().usage().unwrap(), usage::TOTAL).unwrap();
        out.extend([usage.objects, usage.bytes, usage.uploads, self.map().epoch.0]);
        out
    }

    /// As after a restore from a backup that ends with `backup_commit`.
    pub(crate) fn hold(&self, backup_commit: CommitSequence) {
        let hold = RestoreHold::new(backup_commit, 1 << 40);
        self.write(|tables| meta::put(&mut tables.meta, meta::RESTORED, &hold).unwrap());
    }

    pub(crate) fn bucket(&self) -> BucketName {
        self.bucket.clone()
    }

    pub(crate) fn session(&self) -> SessionId {
        self.session.get()
    }

    pub(crate) fn open_session(&self, gateway: u8) -> SessionId {
        self.open(OpenSession { gateway: NodeId::from_random([gateway; 16]), release: Release::current(), name: None })
    }

    pub(crate) fn open(&self, command: OpenSession) -> SessionId {
        match self.apply(command).unwrap() {
            Outcome::SessionOpened(session) => session,
            other => panic!("{other:?}"),
        }
    }

    /// A body of `size` bytes on disks 1, 2 and 3.
    pub(crate) fn body(&self, size: u64) -> PlacedRun {
        let first = ExtentId::new(self.session(), self.counter.get());
        let run = ExtentRun { first, size, extent_bytes: EXTENT_BYTES.max(size / 8) };
        self.counter.set(self.counter.get() + run.count());
        let lengths = (0..run.count()).map(|n| (size - n * run.extent_bytes).min(run.extent_bytes));
        let place = |length| PlacedExtent {
            profile: ProfileId(1),
            geometry: Geometry { data_shards: 1, parity_shards: 2, cell_bytes: 16, length },
            locations: (1..=3).map(|disk| Some(DiskNumber(disk))).collect(),
        };
        PlacedRun { run, extents: lengths.map(place).collect() }
    }

    pub(crate) fn commit(&self, key: &str, body: Option<PlacedRun>) -> CommitObject {
        CommitObject {
            session: self.session(),
            bucket: self.bucket(),
            key: ObjectKey::new(key).unwrap(),
            body,
            etag: ETag::single([3; 16]),
            headers: Vec::new(),
            checksum: None,
            precondition: Precondition::default(),
            storage_class: StorageClass::Standard,
            revision: None,
        }
    }

    pub(crate) fn put(&self, key: &str, size: u64) -> PlacedRun {
        let body = self.body(size);
        self.apply(self.commit(key, Some(body.clone()))).unwrap();
        body
    }

    pub(crate) fn deletion(&self, key: &str) -> DeleteObject {
        let key = ObjectKey::new(key).unwrap();
        DeleteObject {
            bucket: self.bucket(),
            key,
            precondition: Precondition::default(),
            version: None,
            revision: None,
        }
    }

    pub(crate) fn set_versioning(&self, versioning: Versioning) {
        self.set(SettingChange::Versioning(versioning));
    }

    /// No rules end the lifecycle.
    pub(crate) fn set_lifecycle(&self, rules: &[Rule]) {
        self.set(lifecycle_change(rules));
    }

    fn set(&self, change: SettingChange) {
        self.apply(SetBucketSetting { bucket: self.bucket(), change, revision: None, now_ms: 0 }).unwrap();
    }

    pub(crate) fn delete(&self, key: &str) -> Outcome {
        self.apply(self.deletion(key)).unwrap()
    }

    pub(crate) fn create_upload(&self, key: &str) -> UploadId {
        self.create_upload_as(key, StorageClass::Standard)
    }

    pub(crate) fn creation(&self, key: &str) -> CreateUpload {
        CreateUpload {
            bucket: self.bucket(),
            key: ObjectKey::new(key).unwrap(),
            headers: Vec::new(),
            checksum_algorithm: None,
            checksum_composite: false,
            storage_class: StorageClass::Standard,
            revision: None,
        }
    }

    pub(crate) fn create_upload_as(&self, key: &str, storage_class: StorageClass) -> UploadId {
        let create = CreateUpload { storage_class, ..self.creation(key) };
        match self.apply(create).unwrap() {
            Outcome::UploadCreated(id) => id,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn part(&self, key: &str, upload: UploadId, number: u64, body: Option<PlacedRun>) -> CommitPart {
        CommitPart {
            session: self.session(),
            bucket: self.bucket(),
            key: ObjectKey::new(key).unwrap(),
            upload,
            number: PartNumber::new(number).unwrap(),
            body,
            etag: ETag::single([number as u8; 16]),
            checksum: None,
            revision: None,
        }
    }

    pub(crate) fn put_part(&self, key: &str, upload: UploadId, number: u64, size: u64) -> PlacedRun {
        let body = self.body(size);
        self.apply(self.part(key, upload, number, Some(body.clone()))).unwrap();
        body
    }

    pub(crate) fn completion(&self, key: &str, upload: UploadId, numbers: &[u64]) -> CompleteUpload {
        let part = |n: &u64| CompletePart { number: PartNumber::new(*n).unwrap(), etag: ETag::single([*n as u8; 16]) };
        CompleteUpload {
            bucket: self.bucket(),
            key: ObjectKey::new(key).unwrap(),
            upload,
            parts: numbers.iter().map(part).collect(),
            checksum: None,
            etag: ETag { md5: [8; 16], parts: Some(numbers.len() as u32) },
            precondition: Precondition::default(),
            revision: None,
        }
    }

    /// Deletes every version and upload of the bucket.
    pub(crate) fn remove_all(&self) {
        for entry in AllVersions::all(&self.view()).unwrap() {
            let (place, row) = entry.unwrap();
            let (_, key, item) = place.value();
            let id = VersionRow::read(row.value()).unwrap().kind.id(CommitSequence(!item));
            self.apply(DeleteObject { version: Some(id), ..self.deletion(std::str::from_utf8(key).unwrap()) }).unwrap();
        }
        for entry in self.view().uploads().unwrap().iter().unwrap() {
            let (_, key, upload) = entry.as_ref().unwrap().0.value();
            self.abort(std::str::from_utf8(key).unwrap(), UploadId(upload));
        }
    }

    pub(crate) fn abortion(&self, key: &str, upload: UploadId) -> AbortUpload {
        AbortUpload { bucket: self.bucket(), key: ObjectKey::new(key).unwrap(), upload, revision: None }
    }

    pub(crate) fn abort(&self, key: &str, upload: UploadId) {
        self.apply(self.abortion(key, upload)).unwrap();
    }

    pub(crate) fn bucket_id(&self, name: &BucketName) -> BucketId {
        buckets::get(&self.view().buckets().unwrap(), name).unwrap().id
    }

    pub(crate) fn newest(&self, key: &str) -> Option<(CommitSequence, VersionRow)> {
        versions::newest(&self.view().versions().unwrap(), self.bucket_id(&self.bucket()), key.as_bytes()).unwrap()
    }

    /// Objects, bytes and uploads; the bucket's own row and the sums agree.
    pub(crate) fn usage(&self) -> (u64, u64, u64) {
        let table = self.view().usage().unwrap();
        let sums = usage::get(&table, usage::TOTAL).unwrap();
        assert_eq!(usage::get(&table, self.bucket_id(&self.bucket())).unwrap(), sums);
        (sums.objects, sums.bytes, sums.uploads)
    }

    pub(crate) fn reclaim(&self) -> Vec<(ReclaimId, ReclaimRow)> {
        let table = self.view().reclaim().unwrap();
        let read = |(key, row): (redb::AccessGuard<'_, reclaim::Key>, redb::AccessGuard<'_, reclaim::Value>)| {
            let (sequence, item) = key.value();
            (ReclaimId { sequence: CommitSequence(sequence), item }, ReclaimRow::read(row.value()).unwrap())
        };
        table.iter().unwrap().map(|entry| read(entry.unwrap())).collect()
    }

    pub(crate) fn reclaim_runs(&self) -> Vec<ExtentRun> {
        let run = |(_, row): (ReclaimId, ReclaimRow)| match row.garbage {
            Garbage::Run(run) => Some(run),
            Garbage::Parts(_) | Garbage::Shard { .. } => None,
        };
        self.reclaim().into_iter().filter_map(run).collect()
    }

    /// How many extents of `run` have a row.
    pub(crate) fn located(&self, run: &ExtentRun) -> u64 {
        let table = self.view().extents().unwrap();
        run.ids().filter(|id| extents::get(&table, *id).unwrap().is_some()).count() as u64
    }

    pub(crate) fn extents(&self) -> u64 {
        self.view().extents().unwrap().len().unwrap()
    }

    pub(crate) fn parts(&self) -> u64 {
        self.view().parts().unwrap().len().unwrap()
    }

    pub(crate) fn disk_extents(&self) -> u64 {
        self.view().disk_extents().unwrap().len().unwrap()
    }

    pub(crate) fn repair(&self) -> Vec<(ExtentId, u8)> {
        let table = self.view().repair().unwrap();
        let keys = table.iter().unwrap().map(|entry| entry.unwrap().0.value());
        keys.map(|(extent, index)| (ExtentId::from_bytes(extent), index)).collect()
    }

    /// As in a cluster whose upgrade is not finalized.
    pub(crate) fn set_level(&self, level: FeatureLevel) {
        self.write(|tables| tables.set_map(ClusterMap { level, ..self.map() }).unwrap());
    }

    pub(crate) fn map(&self) -> ClusterMap {
        crate::state::tables::cluster_map::get(&self.view().cluster_map().unwrap()).unwrap().unwrap()
    }

    pub(crate) fn has_ended(&self, session: SessionId) -> bool {
        let view = self.view();
        sessions::has_ended(&view.sessions().unwrap(), &view.counters().unwrap(), GroupId::FIRST, session).unwrap()
    }
}

pub(crate) fn disk_id(node: u8, n: u8) -> DiskId {
    DiskId::from_random([node * 16 + n; 16])
}

pub(crate) fn registration(node: u8, disks: u8) -> RegisterNode {
    let disk = |n| DiskRegistration {
        id: disk_id(node, n),
        path: format!("/disks/{n}"),
        capacity_bytes: 1 << 40,
        state: DiskState::Active,
    };
    RegisterNode {
        cluster: None,
        node: NodeId::from_random([node; 16]),
        name: format!("node{node}"),
        rpc_addr: String::new(),
        labels: Labels::default(),
        disks: (0..disks).map(disk).collect(),
        release: Release::current(),
    }
}

/// Sets lifecycle rules; none end the lifecycle.
pub(crate) fn lifecycle_change(rules: &[Rule]) -> SettingChange {
    SettingChange::Document(SettingKind::LIFECYCLE, (!rules.is_empty()).then(|| lifecycle_document(rules)))
}

/// A rule that expires all objects after `days`.
pub(crate) fn expire_all(days: u32) -> Rule {
    Rule {
        id: "all".to_owned(),
        enabled: true,
        filter: Filter::of_prefix(""),
        expiration: Some(Expiration::Days(days)),
        noncurrent: None,
        abort_uploads_days: None,
    }
}
