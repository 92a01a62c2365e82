//! One comparison of everything that metadata knows with everything that lies on the disks.

use std::collections::HashSet;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::footprint;
use cairn_core::id::{DiskNumber, ExtentId, NodeId};
use cairn_gateway::data::{DataPath, DataPathOptions};
use cairn_protocol::metadata::command::{AdoptObject, EndReconciliation};
use cairn_protocol::metadata::query::{Finding, FindingKind, GetObject, KnownExtent, ReconcileTotals, RestoreHold};
use cairn_protocol::metadata::{Metadata, MetadataError, MetadataExt, Rejection};
use cairn_protocol::storage::StorageDirectory;
use tokio::task::JoinSet;

use super::adopt::{Adopted, Adopter};
use super::error::CompareError;
use super::findings::{self, Findings};
use super::known::KnownExtents;
use super::uploads::FoundUploads;
use crate::disks::{Assembled, Assembly, Census, SeenExtent, serving_disks};

/// Bodies that are read and adopted at the same time.
const ADOPTIONS_MAX: usize = 16;
/// Memory of all their readers, unless one body takes more.
const READ_BYTES_MAX: u64 = 64 << 20;
/// Unreadable extents, and bodies to try again, that are remembered. What goes beyond is listed and kept.
const REMEMBERED_MAX: usize = 200_000;
/// Extents of an object that one query locates.
const LOCATED_EXTENTS: u32 = 4096;

/// What a comparison runs over.
pub(super) struct PassOptions<'a> {
    pub(super) metadata: Arc<dyn Metadata>,
    pub(super) nodes: &'a StorageDirectory,
    pub(super) map: &'a ClusterMap,
    pub(super) hold: &'a RestoreHold,
    pub(super) clock: Arc<dyn Clock>,
}

/// A comparison under way.
pub(super) struct Pass {
    metadata: Arc<dyn Metadata>,
    census: Census,
    known: KnownExtents,
    /// Sessions from this number on belong to the present life: their writes are under way.
    sessions_before: u64,
    assembly: Assembly,
    adopter: Adopter,
    adoptions: JoinSet<Result<Adopted, MetadataError>>,
    unreadable: HashSet<ExtentId>,
    uploads: FoundUploads,
    superseded: Vec<AdoptObject>,
    findings: Findings,
    clock: Arc<dyn Clock>,
}

impl Pass {
    pub(super) async fn begin(options: PassOptions<'_>) -> Result<Self, CompareError> {
        let PassOptions { metadata, nodes, map, hold, clock } = options;
        // It only reads, and so needs no session.
        let memory_bytes = map.all_profiles().map(footprint::body_max).fold(READ_BYTES_MAX, u64::max);
        let reader = DataPathOptions { gateway: NodeId::from_bytes([0; 16]), name: String::new(), memory_bytes };
        let path = DataPath::new(Arc::clone(&metadata), nodes.clone(), &reader, Arc::clone(&clock));
        path.view.update(map.clone());
        Ok(Self {
            census: Census::new(serving_disks(map, nodes), None),
            known: KnownExtents::new(Arc::clone(&metadata)),
            sessions_before: hold.sessions_before,
            assembly: Assembly::default(),
            adopter: Adopter { metadata: Arc::clone(&metadata), path },
            adoptions: JoinSet::new(),
            unreadable: HashSet::new(),
            uploads: FoundUploads::default(),
            superseded: Vec::new(),
            findings: Findings::begin(Arc::clone(&metadata)).await?,
            metadata,
            clock,
        })
    }

    /// Compares everything. Deletions are allowed again below `release` if everything on the disks is accounted for.
    pub(super) async fn run(mut self, release: Option<DiskNumber>) -> Result<ReconcileTotals, CompareError> {
        while let Some(seen) = self.census.next().await? {
            self.on_disks(&seen).await?;
            self.findings.record_full_pages().await?;
        }
        while let Some(extent) = self.known.next_before(None).await? {
            self.too_few_shards(&extent, 0);
        }
        if let Some(last) = self.assembly.end() {
            self.assembled(last).await?;
        }
        self.adopt_uploads().await?;
        self.wait_for_adoptions(0).await?;
        self.replace_unreadable().await?;
        self.findings.record_all().await?;
        let totals = self.findings.count(self.census.shards, self.clock.now_ms()).await?;
        let release_below = release.filter(|_| totals.kept == 0);
        self.metadata.run(EndReconciliation { totals, release_below }).await?;
        Ok(totals)
    }

    /// Compares one extent that is on the disks, after the known extents before it, which are not.
    async fn on_disks(&mut self, seen: &SeenExtent) -> Result<(), CompareError> {
        while let Some(extent) = self.known.next_before(Some(seen.id)).await? {
            self.too_few_shards(&extent, 0);
        }
        if let Some(extent) = self.known.take(seen.id) {
            let found = seen.distinct();
            if found < usize::from(extent.data_shards) {
                self.too_few_shards(&extent, found);
            }
            return Ok(());
        }
        if self.is_being_written(seen.id) {
            return Ok(());
        }
        let header = self.census.describe(seen).await.map_err(|error| error.to_string());
        for assembled in self.assembly.take(seen, header) {
            self.assembled(assembled).await?;
        }
        Ok(())
    }

    fn is_being_written(&self, id: ExtentId) -> bool {
        id.session.number() >= self.sessions_before
    }

    /// An extent of the namespace cannot be read.
    fn too_few_shards(&mut self, extent: &KnownExtent, found: usize) {
        if self.is_being_written(extent.id) {
            return;
        }
        if self.unreadable.len() < REMEMBERED_MAX {
            self.unreadable.insert(extent.id);
        }
        self.findings.add(findings::unreadable(extent, found));
    }

    async fn assembled(&mut self, assembled: Assembled) -> Result<(), CompareError> {
        let body = match assembled {
            Assembled::Whole(body) => body,
            Assembled::Broken(fragment) => {
                self.findings.add(findings::fragment(fragment));
                return Ok(());
            }
        };
        if let Some(part) = &body.descriptor.part {
            let (upload, number) = (part.upload, part.number);
            let unremembered = self.uploads.add(upload, number, body);
            self.add_findings(unremembered);
            return Ok(());
        }
        self.wait_for_adoptions(ADOPTIONS_MAX - 1).await?;
        self.adoptions.spawn(self.adopter.clone().adopt_body(body));
        Ok(())
    }

    /// Adopts the uploads whose parts all seem to exist.
    async fn adopt_uploads(&mut self) -> Result<(), CompareError> {
        for (key, parts) in self.uploads.take() {
            let older = parts.older.iter().map(|body| findings::body(body, FindingKind::Superseded, "an older part"));
            self.add_findings(older);
            if let Some(why) = parts.gap() {
                let kept = parts.chosen.iter().map(|part| findings::body(&part.body, FindingKind::Upload, why));
                self.add_findings(kept);
                continue;
            }
            self.wait_for_adoptions(ADOPTIONS_MAX - 1).await?;
            self.adoptions.spawn(self.adopter.clone().adopt_upload(key, parts.chosen));
        }
        Ok(())
    }

    fn add_findings(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.findings.add(finding));
    }

    /// Waits until at most `left` adoptions are under way.
    async fn wait_for_adoptions(&mut self, left: usize) -> Result<(), CompareError> {
        while self.adoptions.len() > left {
            let Some(adopted) = self.adoptions.join_next().await else { return Ok(()) };
            match adopted?? {
                Adopted::Unreadable(finding) => self.findings.add(finding),
                Adopted::Superseded(command) if self.superseded.len() < REMEMBERED_MAX => {
                    self.superseded.push(*command);
                }
                // The metadata service has listed what is superseded.
                Adopted::Done | Adopted::Superseded(_) => {}
            }
        }
        Ok(())
    }

    /// The version that a key holds may be newer by the clocks and yet be lost: then the body on the disks replaces it.
    async fn replace_unreadable(&mut self) -> Result<(), CompareError> {
        for command in std::mem::take(&mut self.superseded) {
            let (bucket, key) = (command.bucket.clone(), command.key.clone());
            let query = GetObject { bucket, key, part: None, range: None, extents: LOCATED_EXTENTS, version: None };
            let is_lost = match self.metadata.ask(query).await {
                Ok(view) => view.located.iter().any(|extent| self.unreadable.contains(&extent.id)),
                Err(MetadataError::Rejected(Rejection::NoSuchVersion)) => true,
                Err(MetadataError::Rejected(_)) => false,
                Err(error) => return Err(error.into()),
            };
            if is_lost {
                self.metadata.run(AdoptObject { replaces_unreadable: true, ..command }).await?;
            }
        }
        Ok(())
    }
}
