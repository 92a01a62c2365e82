//! One comparison of everything that the metadata knows with everything that lies on the disks.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::etag::ETag;
use cairn_core::id::{DiskNumber, ExtentId, NodeId, PartNumber, UploadId};
use cairn_core::limits::PART_BYTES_MIN;
use cairn_core::name::{BucketName, ObjectKey};
use cairn_core::storage_class::StorageClass;
use cairn_gateway::body::{BodyHasher, ChecksumSet};
use cairn_gateway::data::{DataPath, DataPathOptions};
use cairn_protocol::metadata::command::{
    AdoptObject, AdoptedBody, AdoptedPart, Adoption, EndReconciliation, RecordFindings,
};
use cairn_protocol::metadata::query::{
    Finding, FindingKind, GetObject, KnownExtent, ListExtents, ListFindings, ReconcileTotals, RestoreHold,
};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt, Rejection};
use cairn_protocol::storage::{StorageDirectory, StorageError};
use tokio::task::JoinSet;

use crate::disks::{Assembled, Assembly, Census, FoundBody, Fragment, SeenExtent, etag_of_body, serving_disks};

/// Known extents in one page.
const KNOWN_PAGE: u32 = 4096;
/// Findings in one page and in one command.
const FINDINGS_PAGE: u32 = 256;
/// Bodies that are read and adopted at the same time.
const ADOPTIONS_MAX: usize = 16;
/// Memory of all their readers.
const READ_BYTES_MAX: u64 = 64 << 20;
/// Unreadable extents, parts, and bodies to try again that are remembered; what goes beyond is listed and kept.
const REMEMBERED_MAX: usize = 200_000;

/// Why a comparison was broken off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PassError {
    /// A disk did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The metadata service did not.
    #[error("metadata: {0}")]
    Metadata(#[from] MetadataError),
    /// Its tables could not be read.
    #[error(transparent)]
    Store(#[from] cairn_metadata::StoreError),
    /// A task ended.
    #[error("a task ended: {0}")]
    Task(#[from] tokio::task::JoinError),
}

type UploadKey = (BucketName, ObjectKey, UploadId);

/// A comparison.
pub(super) struct Pass {
    metadata: Arc<dyn Metadata>,
    path: DataPath,
    census: Census,
    known: Known,
    sessions_before: u64,
    assembly: Assembly,
    adoptions: JoinSet<Result<Settled, MetadataError>>,
    unreadable: HashSet<ExtentId>,
    parts: HashMap<UploadKey, BTreeMap<u32, Vec<FoundBody>>>,
    parts_held: usize,
    superseded: Vec<AdoptObject>,
    findings: Vec<Finding>,
    clock: Arc<dyn Clock>,
}

/// What came of one adoption.
enum Settled {
    Done,
    Superseded(AdoptObject),
    Unreadable(Finding),
}

impl Pass {
    pub(super) fn new(
        metadata: Arc<dyn Metadata>,
        nodes: &StorageDirectory,
        map: &ClusterMap,
        hold: &RestoreHold,
        clock: Arc<dyn Clock>,
    ) -> Self {
        // It only reads, so that it needs no session.
        let options = DataPathOptions { gateway: NodeId::from_bytes([0; 16]), memory_bytes: READ_BYTES_MAX };
        let path = DataPath::new(Arc::clone(&metadata), nodes.clone(), &options, Arc::clone(&clock));
        path.view.update(map.clone());
        Self {
            census: Census::new(serving_disks(map, nodes), None),
            known: Known { metadata: Arc::clone(&metadata), page: VecDeque::new(), after: None, ended: false },
            metadata,
            path,
            sessions_before: hold.sessions_before,
            assembly: Assembly::default(),
            adoptions: JoinSet::new(),
            unreadable: HashSet::new(),
            parts: HashMap::new(),
            parts_held: 0,
            superseded: Vec::new(),
            findings: Vec::new(),
            clock,
        }
    }

    /// Runs it to its end. Deletions are released below `release`, if everything turned out to be proven.
    pub(super) async fn run(mut self, release: Option<DiskNumber>) -> Result<ReconcileTotals, PassError> {
        self.metadata.run(RecordFindings { findings: Vec::new(), begins: true }).await?;
        while let Some(seen) = self.census.next().await? {
            self.meet(&seen).await?;
            self.flush(FINDINGS_PAGE as usize).await?;
        }
        while let Some(extent) = self.known.next_before(None).await? {
            self.miss(extent, 0);
        }
        if let Some(last) = self.assembly.end() {
            self.take(last).await?;
        }
        self.adopt_uploads().await?;
        self.settle(0).await?;
        self.try_superseded_again().await?;
        self.settle(0).await?;
        self.flush(1).await?;
        let totals = self.totals().await?;
        let release_below = release.filter(|_| totals.kept == 0);
        self.metadata.run(EndReconciliation { totals, release_below }).await?;
        Ok(totals)
    }

    /// Compares one extent that is on the disks.
    async fn meet(&mut self, seen: &SeenExtent) -> Result<(), PassError> {
        while let Some(extent) = self.known.next_before(Some(seen.id)).await? {
            self.miss(extent, 0);
        }
        if let Some(extent) = self.known.take(seen.id) {
            let there = seen.distinct();
            if there < usize::from(extent.data_shards) {
                self.miss(extent, there);
            }
            return Ok(());
        }
        if seen.id.session.number() >= self.sessions_before {
            // It belongs to a write of this life that is under way.
            return Ok(());
        }
        let header = self.census.describe(seen).await.map_err(|error| error.to_string());
        for assembled in self.assembly.take(seen, header) {
            self.take(assembled).await?;
        }
        Ok(())
    }

    /// An extent of the namespace of which too little is on the disks.
    fn miss(&mut self, extent: KnownExtent, there: usize) {
        if extent.id.session.number() >= self.sessions_before {
            return;
        }
        if self.unreadable.len() < REMEMBERED_MAX {
            self.unreadable.insert(extent.id);
        }
        self.findings.push(Finding {
            extent: extent.id,
            kind: FindingKind::Unreadable,
            bucket: None,
            key: None,
            bytes: extent.length,
            written_ms: 0,
            detail: format!("{there} of its shards are there, {} are needed", extent.data_shards),
        });
    }

    async fn take(&mut self, assembled: Assembled) -> Result<(), PassError> {
        match assembled {
            Assembled::Broken(fragment) => self.findings.push(incomplete(fragment)),
            Assembled::Whole(body) => match body.descriptor.part {
                None => self.adopt_body(body).await?,
                Some(_) if self.parts_held >= REMEMBERED_MAX => {
                    self.findings.push(listed(&body, FindingKind::Upload, "more parts than are looked at in one go"));
                }
                Some(part) => {
                    self.parts_held += 1;
                    let upload = (body.descriptor.bucket.clone(), body.descriptor.key.clone(), part.upload);
                    self.parts.entry(upload).or_default().entry(part.number.get()).or_default().push(body);
                }
            },
        }
        Ok(())
    }

    async fn adopt_body(&mut self, body: FoundBody) -> Result<(), PassError> {
        self.settle(ADOPTIONS_MAX - 1).await?;
        let (path, metadata) = (self.path.clone(), Arc::clone(&self.metadata));
        self.adoptions.spawn(async move {
            let etag = match etag_of_body(&path, &body).await {
                Ok(etag) => etag,
                Err(error) => {
                    return Ok(Settled::Unreadable(listed(&body, FindingKind::Incomplete, &error.to_string())));
                }
            };
            let FoundBody { descriptor, placed } = body;
            let command = AdoptObject {
                bucket: descriptor.bucket,
                key: descriptor.key,
                body: AdoptedBody::Run(placed),
                etag,
                headers: descriptor.headers,
                written_ms: descriptor.written_at_ms,
                replaces_unreadable: false,
                storage_class: descriptor.storage_class,
            };
            adopt(&*metadata, command).await
        });
        Ok(())
    }

    /// Adopts uploads whose parts are all there, as far as anybody can tell.
    async fn adopt_uploads(&mut self) -> Result<(), PassError> {
        for ((bucket, key, upload), parts) in std::mem::take(&mut self.parts) {
            let (chosen, older) = newest_of_each(parts);
            self.findings.extend(older.iter().map(|body| listed(body, FindingKind::Superseded, "an older part")));
            if let Some(why) = gap(&chosen) {
                self.findings.extend(chosen.iter().map(|(_, body)| listed(body, FindingKind::Upload, why)));
                continue;
            }
            self.settle(ADOPTIONS_MAX - 1).await?;
            let (path, metadata) = (self.path.clone(), Arc::clone(&self.metadata));
            self.adoptions.spawn(async move { adopt_upload(&path, &*metadata, (bucket, key, upload), chosen).await });
        }
        Ok(())
    }

    /// Waits until at most `left` adoptions are under way.
    async fn settle(&mut self, left: usize) -> Result<(), PassError> {
        while self.adoptions.len() > left {
            let Some(settled) = self.adoptions.join_next().await else { return Ok(()) };
            match settled?? {
                Settled::Unreadable(finding) => self.findings.push(finding),
                Settled::Superseded(command) if self.superseded.len() < REMEMBERED_MAX => self.superseded.push(command),
                // What is superseded is listed already.
                Settled::Done | Settled::Superseded(_) => {}
            }
        }
        Ok(())
    }

    /// What a key holds may be newer by the clocks and yet be gone: then what is there replaces it.
    async fn try_superseded_again(&mut self) -> Result<(), PassError> {
        for command in std::mem::take(&mut self.superseded) {
            let (bucket, key) = (command.bucket.clone(), command.key.clone());
            let query = GetObject { bucket, key, part: None, range: None, extents: KNOWN_PAGE, version: None };
            let gone = match self.metadata.ask(query).await {
                Ok(view) => view.located.iter().any(|extent| self.unreadable.contains(&extent.id)),
                Err(MetadataError::Rejected(Rejection::NoSuchVersion)) => true,
                Err(MetadataError::Rejected(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if gone {
                self.metadata.run(AdoptObject { replaces_unreadable: true, ..command }).await?;
            }
        }
        Ok(())
    }

    /// Records the findings if there are at least so many.
    async fn flush(&mut self, least: usize) -> Result<(), PassError> {
        while self.findings.len() >= least.max(1) {
            let rest = self.findings.split_off(self.findings.len().min(FINDINGS_PAGE as usize));
            let findings = std::mem::replace(&mut self.findings, rest);
            self.metadata.run(RecordFindings { findings, begins: false }).await?;
        }
        Ok(())
    }

    async fn totals(&self) -> Result<ReconcileTotals, PassError> {
        let mut totals =
            ReconcileTotals { shards: self.census.shards, ended_ms: self.clock.now_ms(), ..ReconcileTotals::default() };
        let mut after = None;
        loop {
            let page = self.metadata.ask(ListFindings { after, limit: FINDINGS_PAGE }).await?;
            for finding in &page {
                match finding.kind {
                    FindingKind::Recovered => totals.recovered += 1,
                    FindingKind::Unreadable => totals.unreadable += 1,
                    FindingKind::Superseded | FindingKind::Incomplete | FindingKind::Upload => totals.kept += 1,
                }
            }
            match page.last() {
                Some(last) => after = Some(last.extent),
                None => return Ok(totals),
            }
        }
    }
}

async fn adopt(metadata: &dyn Metadata, command: AdoptObject) -> Result<Settled, MetadataError> {
    match metadata.run(command.clone()).await? {
        Adoption::Adopted | Adoption::Known => Ok(Settled::Done),
        Adoption::Superseded => Ok(Settled::Superseded(command)),
    }
}

async fn adopt_upload(
    path: &DataPath,
    metadata: &dyn Metadata,
    (bucket, key, upload): UploadKey,
    chosen: Vec<(PartNumber, FoundBody)>,
) -> Result<Settled, MetadataError> {
    let mut tags = BodyHasher::new(ChecksumSet::default());
    let mut parts = Vec::with_capacity(chosen.len());
    let (mut headers, mut written_ms, mut storage_class) = (Vec::new(), 0, StorageClass::Standard);
    for (number, body) in chosen {
        let etag = match etag_of_body(path, &body).await {
            Ok(etag) => etag,
            Err(error) => return Ok(Settled::Unreadable(listed(&body, FindingKind::Upload, &error.to_string()))),
        };
        tags.update(&etag.md5);
        written_ms = written_ms.max(body.descriptor.written_at_ms);
        headers = body.descriptor.headers;
        storage_class = body.descriptor.storage_class;
        parts.push(AdoptedPart { number, etag, body: body.placed });
    }
    let etag = ETag { md5: tags.finish().md5, parts: Some(parts.len() as u32) };
    let body = AdoptedBody::Parts(upload, parts);
    let replaces_unreadable = false;
    let command = AdoptObject { bucket, key, body, etag, headers, written_ms, replaces_unreadable, storage_class };
    adopt(metadata, command).await
}

/// Of each part the newest body, and those that are older.
fn newest_of_each(parts: BTreeMap<u32, Vec<FoundBody>>) -> (Vec<(PartNumber, FoundBody)>, Vec<FoundBody>) {
    let (mut chosen, mut older) = (Vec::new(), Vec::new());
    for (number, mut bodies) in parts {
        bodies.sort_by_key(|body| (body.descriptor.written_at_ms, body.placed.run.first));
        if let (Some(newest), Ok(number)) = (bodies.pop(), PartNumber::new(u64::from(number))) {
            chosen.push((number, newest));
        }
        older.extend(bodies);
    }
    (chosen, older)
}

/// Why these parts cannot have made an object.
fn gap(parts: &[(PartNumber, FoundBody)]) -> Option<&'static str> {
    let consecutive = (1u32..).zip(parts).all(|(n, (number, _))| number.get() == n);
    let large = |(_, body): &(PartNumber, FoundBody)| body.placed.run.size >= PART_BYTES_MIN;
    let all_but_the_last = parts.split_last().is_none_or(|(_, others)| others.iter().all(large));
    if !consecutive {
        Some("parts are missing in between, or were never there")
    } else if !all_but_the_last {
        Some("a part before the last is too small for a completed upload")
    } else {
        None
    }
}

fn listed(body: &FoundBody, kind: FindingKind, detail: &str) -> Finding {
    Finding {
        extent: body.placed.run.first,
        kind,
        bucket: Some(body.descriptor.bucket.clone()),
        key: Some(body.descriptor.key.clone()),
        bytes: body.placed.run.size,
        written_ms: body.descriptor.written_at_ms,
        detail: detail.to_owned(),
    }
}

fn incomplete(fragment: Fragment) -> Finding {
    let Fragment { first, descriptor, bytes, detail } = fragment;
    let written_ms = descriptor.as_ref().map_or(0, |descriptor| descriptor.written_at_ms);
    let (bucket, key) = descriptor.map(|descriptor| (descriptor.bucket, descriptor.key)).unzip();
    Finding { extent: first, kind: FindingKind::Incomplete, bucket, key, bytes, written_ms, detail }
}

/// The extents that the metadata knows, in order.
struct Known {
    metadata: Arc<dyn Metadata>,
    page: VecDeque<KnownExtent>,
    after: Option<ExtentId>,
    ended: bool,
}

impl Known {
    /// The next extent before `end`; nothing if there is none.
    async fn next_before(&mut self, end: Option<ExtentId>) -> Result<Option<KnownExtent>, MetadataError> {
        if self.page.is_empty() && !self.ended {
            let page = self.metadata.ask(ListExtents { after: self.after, limit: KNOWN_PAGE }).await?;
            self.ended = page.is_empty();
            self.after = page.last().map(|extent| extent.id).or(self.after);
            self.page = page.into();
        }
        let is_before = |extent: &KnownExtent| end.is_none_or(|end| extent.id < end);
        if self.page.front().is_some_and(is_before) { Ok(self.page.pop_front()) } else { Ok(None) }
    }

    /// The extent `id`, if it is the next.
    fn take(&mut self, id: ExtentId) -> Option<KnownExtent> {
        if self.page.front().is_some_and(|extent| extent.id == id) { self.page.pop_front() } else { None }
    }
}
