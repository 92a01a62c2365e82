//! Reads metadata and disks, and writes the report.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

use cairn_core::clock::Clock;
use cairn_core::cluster_map::{ClusterMap, Disk};
use cairn_core::id::DiskNumber;
use cairn_core::threads::{Join, Threads};
use cairn_metadata::StoreError;
use cairn_metadata::offline::OfflineReader;
use cairn_storage_node::inspect::InspectError;

use super::auditor::Auditor;
use super::contents::DiskContents;
use super::report::{AuditReport, AuditedDisk, AuditedMetadata};
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
    /// Where the metadata is copied to for reading.
    pub scratch: PathBuf,
}

/// Why nothing was audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Metadata(#[from] cairn_metadata::offline::OfflineError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A running server uses a disk.
    #[error(transparent)]
    Disk(#[from] Box<InspectError>),
    #[error("cannot start a thread to read a disk: {0}")]
    Threads(#[from] io::Error),
}

/// Audits a stopped cluster.
pub fn audit(options: &AuditOptions, clock: Arc<dyn Clock>, threads: &dyn Threads) -> Result<AuditReport, AuditError> {
    let book = OfflineReader::open(&options.metadata, &options.scratch, clock, threads)?;
    let Sorted { disks, mut strangers } = sort(book.map(), read_all(options, threads)?);
    let mut auditor = Auditor::new(disks);
    book.extents(|extent| auditor.extent(&extent))?;
    book.objects(|object| auditor.object(&object))?;
    book.other_runs(|run| {
        for id in run.ids() {
            auditor.refer(id);
        }
    })?;
    let unowned = auditor.unowned(&book.excused()?);
    let mut disks: Vec<AuditedDisk> = book.map().disks.iter().map(|disk| describe(&auditor, disk)).collect();
    disks.append(&mut strangers);
    auditor.objects.keep_the_worst();
    let source = book.source();
    Ok(AuditReport {
        cluster_id: book.map().cluster.to_string(),
        metadata: AuditedMetadata {
            path: source.dir.display().to_string(),
            member: source.member.0,
            log_index: source.log_index,
            voters: source.voters as u64,
            voters_given: source.voters_given as u64,
        },
        verified: options.verify,
        whole: auditor.objects.whole,
        at_risk: auditor.objects.at_risk(),
        lost: auditor.objects.lost,
        extents: auditor.extents(),
        extents_at_risk: auditor.at_risk(),
        redundancy: auditor.redundancy(),
        extents_unbooked: auditor.unbooked,
        extents_stray: auditor.stray(),
        disks,
        unowned,
        space: auditor.space(),
        listed: auditor.objects.listed,
    })
}

/// A directory that was given, and what it holds.
struct Directory {
    path: PathBuf,
    contents: Result<DiskContents, InspectError>,
}

/// Reads all disks, each on a thread of its own. A disk that a server uses ends the audit; one that cannot be read is
/// reported, because finding it is what the audit is for.
fn read_all(options: &AuditOptions, threads: &dyn Threads) -> Result<Vec<Directory>, AuditError> {
    let mut directories = Vec::with_capacity(options.disks.len());
    for paths in options.disks.chunks(DISKS_AT_ONCE) {
        let reading = paths.iter().map(|path| begin_reading(path, options.verify, threads));
        let reading: Vec<Reading> = reading.collect::<Result<_, _>>()?;
        let read: Vec<_> = reading.into_iter().map(Reading::wait).collect();
        for (path, contents) in paths.iter().zip(read) {
            if let Err(error @ InspectError::InUse { .. }) = contents {
                return Err(Box::new(error).into());
            }
            directories.push(Directory { path: path.clone(), contents });
        }
    }
    Ok(directories)
}

/// A disk that is read on another thread.
struct Reading {
    thread: Join,
    contents: mpsc::Receiver<Result<DiskContents, InspectError>>,
}

fn begin_reading(path: &Path, verify: bool, threads: &dyn Threads) -> io::Result<Reading> {
    let (sender, contents) = mpsc::channel();
    let path = path.to_owned();
    let read = move || {
        // The receiver is gone if another thread could not be started.
        let _ = sender.send(DiskContents::read(&path, verify));
    };
    Ok(Reading { thread: threads.spawn("audit-disk", Box::new(read))?, contents })
}

impl Reading {
    /// Waits for the contents. Panics if the thread did.
    fn wait(self) -> Result<DiskContents, InspectError> {
        let Ok(contents) = self.contents.recv() else {
            let panic = (self.thread)().err().unwrap_or_else(|| Box::new("the thread sent nothing"));
            std::panic::resume_unwind(panic)
        };
        contents
    }
}

/// The directories that were given, by what they hold.
struct Sorted {
    disks: HashMap<DiskNumber, DiskContents>,
    /// Directories that hold no disk of the cluster.
    strangers: Vec<AuditedDisk>,
}

fn sort(map: &ClusterMap, directories: Vec<Directory>) -> Sorted {
    let mut disks: HashMap<DiskNumber, DiskContents> = HashMap::new();
    let mut strangers = Vec::new();
    for Directory { path, contents } in directories {
        let mut stranger = |error: String| {
            let (path, error) = (Some(path.display().to_string()), Some(error));
            strangers.push(AuditedDisk { path, state: AuditedState::NotUsed, error, ..AuditedDisk::default() });
        };
        let contents = match contents {
            Ok(contents) => contents,
            Err(error) => {
                stranger(error.to_string());
                continue;
            }
        };
        match map.disk_by_id(contents.disk).map(|disk| disk.number) {
            _ if contents.cluster != map.cluster => stranger(format!("it belongs to cluster {}", contents.cluster)),
            None => stranger(format!("the cluster does not know disk {}", contents.disk)),
            Some(number) => match disks.get(&number) {
                Some(other) => stranger(format!("it holds the same disk as {}", other.path.display())),
                None => drop(disks.insert(number, contents)),
            },
        }
    }
    Sorted { disks, strangers }
}

fn describe(auditor: &Auditor, disk: &Disk) -> AuditedDisk {
    let found = auditor.disk(disk.number);
    let error = found.path.is_none().then(|| format!("not given; it was at {}", disk.path));
    let number = Some(u64::from(disk.number.0));
    AuditedDisk { number, state: AuditedState::InCluster(disk.state), error, ..found }
}
