//! Reads metadata and disks, and has them compared.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::DiskNumber;
use cairn_metadata::StoreError;
use cairn_metadata::offline::Book;
use cairn_storage_node::inspect::InspectError;

use super::judge::{self, Judge};
use super::report::{AuditReport, AuditedDisk, AuditedMetadata};
use super::shelf::Shelf;
use super::state::AuditedState;

/// Disks that are read at the same time.
const DISKS_AT_ONCE: usize = 8;

/// What to audit.
#[derive(Debug, Clone)]
pub struct AuditOptions {
    /// The directories of the metadata members: one, or better a majority of them.
    pub metadata: Vec<PathBuf>,
    /// The directories of the disks.
    pub disks: Vec<PathBuf>,
    /// Whether every checksum on the disks is verified.
    pub verify: bool,
    /// Where the metadata is copied to, to be read.
    pub scratch: PathBuf,
}

/// Why nothing was audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The metadata cannot be read.
    #[error(transparent)]
    Metadata(#[from] cairn_metadata::offline::AuditError),
    /// The tables cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A running server uses a disk.
    #[error(transparent)]
    Disk(#[from] Box<InspectError>),
}

/// Audits the cluster.
pub fn audit(options: &AuditOptions, clock: Arc<dyn Clock>) -> Result<AuditReport, AuditError> {
    let book = Book::open(&options.metadata, &options.scratch, clock)?;
    let (shelves, mut strangers) = sort(book.map(), look_at_all(options)?);
    let mut judge = Judge::new(shelves);
    book.extents(|extent| judge.extent(&extent))?;
    book.objects(|object| judge.object(&object))?;
    book.other_runs(|run| {
        for id in run.ids() {
            judge.refer(id);
        }
    })?;
    let unowned = judge.unowned(&book.excused()?);
    let mut disks: Vec<AuditedDisk> = book.map().disks.iter().map(|disk| describe(&judge, disk)).collect();
    disks.append(&mut strangers);
    judge.objects.keep_the_worst();
    let source = book.source();
    Ok(AuditReport {
        cluster_id: book.map().cluster.to_string(),
        metadata: AuditedMetadata {
            path: source.dir.display().to_string(),
            member: source.member,
            log_index: source.log_index,
            voters: source.voters as u64,
            voters_given: source.voters_given as u64,
        },
        verified: options.verify,
        whole: judge.objects.whole,
        at_risk: judge.objects.at_risk(),
        lost: judge.objects.lost,
        extents: judge.extents(),
        extents_at_risk: judge.at_risk(),
        redundancy: judge::classes(&judge.redundancy),
        extents_unbooked: judge.unbooked,
        extents_stray: judge.stray(),
        disks,
        unowned,
        space: judge.space(),
        listed: judge.objects.listed,
    })
}

/// What a directory turned out to hold.
type Looked = (PathBuf, Result<Shelf, InspectError>);

/// Looks at all disks, each on a thread of its own. One that a server uses ends the audit; one that cannot be read is
/// reported, since it is what the audit is for.
fn look_at_all(options: &AuditOptions) -> Result<Vec<Looked>, AuditError> {
    let mut seen = Vec::with_capacity(options.disks.len());
    for paths in options.disks.chunks(DISKS_AT_ONCE) {
        let looked: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                paths.iter().map(|path| scope.spawn(move || Shelf::look(path, options.verify))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for (path, result) in paths.iter().zip(looked) {
            let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            if let Err(error @ InspectError::InUse { .. }) = result {
                return Err(Box::new(error).into());
            }
            seen.push((path.clone(), result));
        }
    }
    Ok(seen)
}

/// The disks by their numbers in the cluster, and what is said of directories that hold none of its disks.
fn sort(map: &ClusterMap, seen: Vec<Looked>) -> (HashMap<DiskNumber, Shelf>, Vec<AuditedDisk>) {
    let mut shelves: HashMap<DiskNumber, Shelf> = HashMap::new();
    let mut strangers = Vec::new();
    for (path, result) in seen {
        let mut stranger = |error: String| {
            let path = Some(path.display().to_string());
            strangers.push(AuditedDisk {
                path,
                state: AuditedState::NotUsed,
                error: Some(error),
                ..AuditedDisk::default()
            });
        };
        let shelf = match result {
            Ok(shelf) => shelf,
            Err(error) => {
                stranger(error.to_string());
                continue;
            }
        };
        match map.disk_by_id(shelf.disk).map(|disk| disk.number) {
            _ if shelf.cluster != map.cluster => stranger(format!("it belongs to cluster {}", shelf.cluster)),
            None => stranger(format!("the cluster does not know disk {}", shelf.disk)),
            Some(number) => match shelves.get(&number) {
                Some(other) => stranger(format!("it holds the same disk as {}", other.path.display())),
                None => drop(shelves.insert(number, shelf)),
            },
        }
    }
    (shelves, strangers)
}

fn describe(judge: &Judge, disk: &cairn_core::cluster_map::Disk) -> AuditedDisk {
    let found = judge.disk(disk.number);
    let error = found.path.is_none().then(|| format!("not given; it was at {}", disk.path));
    let number = Some(u64::from(disk.number.0));
    AuditedDisk { number, state: AuditedState::InCluster(disk.state), error, ..found }
}
