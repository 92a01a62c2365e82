//! What is in the disk directories. A missing disk is never taken for a new one (I18).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cairn_core::clock::Clock;
use cairn_core::id::{ClusterId, DiskId};
use cairn_core::random::RandomSource;

use super::disk_slot::DiskSlot;
use super::error::StartError;
use super::node::Node;
use super::node_state::NodeState;
use super::options::{Dependencies, Options};
use crate::disk_io::{DiskIo, RealDisk, Space};
use crate::format::{DiskIdentity, IdentityBlock};
use crate::store::{OpenError, StoreOptions, format, probe};

/// Why a disk that was just found is out of service.
pub const NOT_OPENED_YET: &str = "not opened yet";
/// Smallest default reserve, in bytes.
const RESERVE_BYTES_MIN: u64 = 256 << 20;

/// Looks at all directories and decides what each is. New disks are added to `state`, which the caller saves before any of
/// them is formatted.
pub(super) fn survey(
    options: &Options,
    state: &mut NodeState,
    random: &dyn RandomSource,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<DiskSlot>, StartError> {
    let mut slots: Vec<DiskSlot> = Vec::new();
    for (number, path) in (1..).zip(&options.disks) {
        let path = absolute(path)?;
        if slots.iter().any(|slot| slot.path == path) {
            return Err(StartError::DuplicatePath(path));
        }
        let found = probe(&RealDisk::new(&path), &path.display().to_string());
        let twin = found.as_ref().ok().and_then(|found| twin(found.disk, &path, slots.iter(), state));
        slots.push(decide(Looked { number, path, found, twin }, state, random, clock));
    }
    Ok(slots)
}

/// Where else the disk is: in one of the other directories, or where it was before. A copy is never preferred to the disk
/// that was known before, whichever directory is named first.
fn twin<'a>(
    id: DiskId,
    path: &Path,
    mut others: impl Iterator<Item = &'a DiskSlot>,
    state: &NodeState,
) -> Option<PathBuf> {
    let original = || {
        let known = state.disks.iter().find(|known| known.id == id && known.formatted)?;
        let place = PathBuf::from(&known.path);
        let holds_it = probe(&RealDisk::new(&place), &known.path).is_ok_and(|found| found.disk == id);
        (place != path && holds_it).then_some(place)
    };
    others.find(|slot| slot.id == id && slot.is_ours).map(|slot| slot.path.clone()).or_else(original)
}

/// Looks again at a directory that held something that is not ours. A disk of this cluster is adopted; an empty directory
/// is not formatted, because a mount may follow: that takes a restart (I18).
pub(super) fn look_again(node: &Node, slot: &DiskSlot) -> Option<DiskSlot> {
    let found = probe(&RealDisk::new(&slot.path), &slot.path.display().to_string());
    if let Err(error) = found {
        slot.take_out_of_service(error.to_string());
        return None;
    }
    let seen = match survey_again(node, slot.number, &slot.path, found) {
        Ok(seen) => seen?,
        Err(error) => {
            tracing::warn!(%error, "a disk is not adopted, because the node's state cannot be written");
            return None;
        }
    };
    if !seen.is_ours {
        slot.take_out_of_service(seen.status().reason);
    }
    Some(seen).filter(|seen| seen.is_ours)
}

/// Adds the directories that the node does not have yet: each is a new disk, or one that it had before. Returns them; they
/// are registered and come into service like all others. An empty directory becomes a disk, because the operator says so.
pub(super) fn take_more(node: &Node, paths: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let mut taken = Vec::new();
    for path in paths {
        let (path, slots) = (absolute(path)?, node.slots());
        if slots.iter().any(|slot| slot.path == path) {
            continue;
        }
        let found = probe(&RealDisk::new(&path), &path.display().to_string());
        if let Some(slot) = survey_again(node, slots.len() + 1, &path, found)? {
            node.add(slot);
            taken.push(path);
        }
    }
    measure(&node.slots(), node.options.capacity_bytes);
    Ok(taken)
}

/// Decides what a directory of a running node is, and remembers it. `number` is its place in the node's list.
fn survey_again(
    node: &Node,
    number: usize,
    path: &Path,
    found: Result<DiskIdentity, OpenError>,
) -> Result<Option<DiskSlot>, StartError> {
    let slots = node.slots();
    let others = slots.iter().filter(|other| other.number != number).map(Arc::as_ref);
    let twin = found.as_ref().ok().and_then(|found| twin(found.disk, path, others, &node.remembered()));
    let Dependencies { random, clock, .. } = &node.dependencies;
    let mut seen = None;
    node.remember(|state| {
        let looked = Looked { number, path: path.to_owned(), found, twin };
        seen = Some(decide(looked, state, random.as_ref(), clock));
    })?;
    Ok(seen)
}

fn absolute(path: &Path) -> Result<PathBuf, StartError> {
    std::path::absolute(path).map_err(|source| StartError::State { path: path.to_owned(), source })
}

/// What a look at a directory showed.
struct Looked {
    /// The directory's place in the node's list.
    number: usize,
    path: PathBuf,
    found: Result<DiskIdentity, OpenError>,
    /// Where else the same disk is.
    twin: Option<PathBuf>,
}

fn decide(looked: Looked, state: &mut NodeState, random: &dyn RandomSource, clock: &Arc<dyn Clock>) -> DiskSlot {
    let Looked { number, path, found: probed, twin } = looked;
    let name = path.display().to_string();
    let slot = |id, is_ours, reason| DiskSlot::new(number, path.clone(), id, is_ours, reason, clock);
    let known = state.disk_at(&name).cloned();
    if let (None, Ok(found)) = (state.cluster, &probed) {
        // The node's state was lost, but not its disks.
        state.cluster = Some(found.cluster);
    }
    match probed {
        Ok(found) => {
            let foreign_cluster = state.cluster.is_some_and(|cluster| cluster != found.cluster);
            let other = known.as_ref().filter(|known| known.formatted && known.id != found.disk);
            let reason = if foreign_cluster {
                other_cluster(&name, &found, state.cluster).to_string()
            } else if let Some(twin) = twin {
                let (twin, disk) = (twin.display(), found.disk);
                format!(
                    "{name} holds the same disk as {twin} (id {disk}): remove the copy, or mount the right disk there"
                )
            } else if let Some(known) = other {
                OpenError::OtherDisk { path: name, found: found.disk, expected: known.id }.to_string()
            } else {
                state.note(&name, found.disk, true);
                return slot(found.disk, true, Some(NOT_OPENED_YET.to_owned()));
            };
            // The cluster still expects the disk that was here before; what is here now is not reported to it.
            let (id, is_ours) = known.map_or((found.disk, false), |known| (known.id, true));
            slot(id, is_ours, Some(reason))
        }
        Err(OpenError::NotADisk { .. }) => match known {
            Some(known) if known.formatted => {
                let reason = missing(number, known.id, &name);
                slot(known.id, true, Some(reason))
            }
            Some(known) => slot(known.id, true, None),
            None => {
                let id = DiskId::from_random(random.bytes16());
                state.note(&name, id, false);
                slot(id, true, None)
            }
        },
        Err(error) => {
            let (id, is_ours) =
                known.map_or_else(|| (DiskId::from_random(random.bytes16()), false), |known| (known.id, true));
            slot(id, is_ours, Some(error.to_string()))
        }
    }
}

/// The reason for a disk whose directory is missing or empty.
pub(super) fn missing(number: usize, id: DiskId, path: &str) -> String {
    format!(
        "disk {number} (id {id}) at {path} is missing: put the directory back or mount the filesystem that belongs \
         there; the node will notice"
    )
}

/// Why the disk of a slot in service is not in its directory; `None` if it is.
pub(super) fn absence(slot: &DiskSlot, cluster: ClusterId) -> Option<String> {
    let path = slot.path.display().to_string();
    match probe(&slot.io, &path) {
        Ok(found) if found.disk == slot.id && found.cluster == cluster => None,
        Ok(found) => Some(OpenError::OtherDisk { path, found: found.disk, expected: slot.id }.to_string()),
        Err(OpenError::NotADisk { .. }) => Some(missing(slot.number, slot.id, &path)),
        // With any other trouble with the superblock, the disk goes on serving.
        Err(_) => None,
    }
}

fn other_cluster(path: &str, found: &DiskIdentity, expected: Option<ClusterId>) -> OpenError {
    let expected = expected.unwrap_or(found.cluster);
    OpenError::OtherCluster { path: path.to_owned(), found: found.cluster, expected }
}

/// Formats the directory of a new disk.
pub(super) fn format_new(
    slot: &DiskSlot,
    cluster: ClusterId,
    random: &dyn RandomSource,
    created_ms: u64,
) -> Result<(), OpenError> {
    let mut salt = [0; 32];
    let (first, second) = salt.split_at_mut(16);
    first.copy_from_slice(&random.bytes16());
    second.copy_from_slice(&random.bytes16());
    let identity = DiskIdentity { cluster, disk: slot.id, salt };
    format(&slot.io, &slot.path.display().to_string(), &IdentityBlock { identity, created_ms })
}

/// Sets the capacity of all slots: the size of each filesystem, shared by the disks on it, unless `capacity_bytes` is set.
pub(super) fn measure(slots: &[Arc<DiskSlot>], capacity_bytes: Option<u64>) {
    let spaces: Vec<Option<Space>> = slots.iter().map(|slot| space_under(&slot.path)).collect();
    let mut shares: HashMap<u64, u64> = HashMap::new();
    for space in spaces.iter().flatten() {
        *shares.entry(space.device).or_default() += 1;
    }
    for (slot, space) in slots.iter().zip(spaces) {
        let share = space.map(|s| s.total_bytes / shares.get(&s.device).copied().unwrap_or(1).max(1));
        if let Some(bytes) = capacity_bytes.or(share) {
            slot.capacity_bytes.store(bytes, Ordering::Relaxed);
        }
    }
}

/// Space on the filesystem where `path` is or will be.
fn space_under(path: &Path) -> Option<Space> {
    path.ancestors().find_map(|ancestor| RealDisk::new(ancestor).space().ok())
}

/// Options of a disk's store.
pub(super) fn store_options(options: &Options, path: &Path) -> StoreOptions {
    let percent = || space_under(path).map_or(0, |space| space.total_bytes / 100).max(RESERVE_BYTES_MIN);
    StoreOptions {
        volume_bytes: options.volume_bytes,
        scrub: options.scrub,
        compact_dead_percent: options.compact_dead_percent,
        compact_bytes_per_s_max: options.compact_bytes_per_s_max,
        reserve_bytes: options.reserve_bytes.unwrap_or_else(percent),
        ..StoreOptions::default()
    }
}
