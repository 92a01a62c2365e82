//! The directory of a member: it holds a complete member or nothing at all, and anything between is refused (I15).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::id::ClusterId;
use minicbor::{Decode, Encode};

use crate::error::StoreError;
use crate::integrity;
use crate::options::Options;
use crate::raft::log_store::LogStore;
use crate::raft::machine::{Machine, sync_directory};
use crate::state::tables::members::Incarnation;
use cairn_core::id::MemberId;

/// Version of all formats in the directory. A directory of a newer version is refused, never taken for empty (I30).
const FORMAT_VERSION: u32 = 1;
/// Bytes at the beginning of a database file that are not all zero once it was created.
const UNBORN_BYTES: usize = 9;
/// Entries of the log applied at a time.
const ENTRIES_PER_STEP: u64 = 256;
/// First bytes of the identity file.
const MAGIC: &[u8; 8] = b"CAIRN-MD";

/// Why a member does not start. Each says what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory should hold metadata and does not.
    #[error(
        "{dir} holds no metadata, but the disks of this process belong to cluster {cluster}: mount the right directory, or restore a backup into it"
    )]
    Lost {
        /// The directory.
        dir: PathBuf,
        /// The cluster on the disks.
        cluster: ClusterId,
    },
    /// A part of the directory is missing.
    #[error(
        "{dir}: {found}, but {missing}: restore the whole directory from one backup; Cairn does not start afresh over what is left"
    )]
    Incomplete {
        /// The directory.
        dir: PathBuf,
        /// What is there.
        found: &'static str,
        /// What is not.
        missing: String,
    },
    /// The directory belongs to another member or cluster.
    #[error("{dir} belongs to {theirs}, not to {ours}: check the configuration and the mounts")]
    Foreign {
        /// The directory.
        dir: PathBuf,
        /// Whose it is.
        theirs: String,
        /// Who we are.
        ours: String,
    },
    /// A newer release wrote the directory.
    #[error(
        "{dir} has format version {found}, this release reads up to {FORMAT_VERSION}: install the newer release again"
    )]
    Newer {
        /// The directory.
        dir: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A file cannot be opened or read.
    #[error(
        "{path}: {detail}: if another process has it open, stop that one; if it is damaged, restore the directory from a backup"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What happened.
        detail: String,
    },
    /// A file is not what was written to it.
    #[error(
        "{path} is damaged: {detail}. Nothing was changed. If other members are well, remove this one (`cairn metadata \
         members remove`), empty its directory, and add it again; if it is the only one, restore a backup into an empty \
         directory (`cairn metadata restore`), and look at the disk before it is used again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Raft does not start.
    #[error("the metadata service does not start: {0}")]
    Raft(String),
}

/// Who the directory belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct Identity {
    #[n(0)]
    format: u32,
    #[n(1)]
    member: MemberId,
    /// Nothing until the cluster is formed: until then nothing was ever acknowledged.
    #[n(2)]
    cluster: Option<ClusterId>,
    /// Names this directory: see [`crate::state::tables::members`].
    #[n(3)]
    incarnation: Option<Incarnation>,
}

/// An open directory.
pub(crate) struct Directory {
    path: PathBuf,
    identity: Identity,
    pub(crate) log: LogStore,
    pub(crate) machine: Arc<Machine>,
}

impl Directory {
    /// Opens the directory, or makes it if nothing is there and nothing should be. `drawn` names a directory that has no
    /// name yet.
    pub(crate) fn open(options: &Options, clock: Arc<dyn Clock>, drawn: Incarnation) -> Result<Self, StartError> {
        let path = options.dir.clone();
        let unreadable = |path: &Path, e: &dyn std::fmt::Display| StartError::Unreadable {
            path: path.to_owned(),
            detail: e.to_string(),
        };
        std::fs::create_dir_all(&path).map_err(|e| unreadable(&path, &e))?;
        let (log_path, state_path) = (path.join("log.redb"), path.join("state.redb"));
        let identity = match read_identity(&path)? {
            Some(identity) => identity,
            None => create_identity(options, &[&log_path, &state_path], drawn)?,
        };
        check_identity(options, &identity)?;
        // Files may be missing only as long as the cluster was not formed.
        let create = identity.cluster.is_none();
        for file in [&log_path, &state_path] {
            if !create && !file.exists() {
                let missing = format!("{} is missing", file.display());
                return Err(StartError::Incomplete { dir: path, found: "a member's identity", missing });
            }
        }
        if create {
            for file in [&log_path, &state_path] {
                remove_unborn(file).map_err(|e| unreadable(file, &e))?;
            }
        }
        if !create && options.verify_at_start {
            let began = clock.monotonic();
            for file in [&log_path, &state_path] {
                integrity::verify(file, options.cache_bytes)
                    .map_err(|detail| StartError::Damaged { path: file.clone(), detail })?;
            }
            let took = clock.monotonic().saturating_sub(began);
            tracing::info!(?took, "every page of the metadata's files matches its checksum");
        }
        let log = LogStore::open(&log_path, create).map_err(|e| unreadable(&log_path, &e))?;
        let machine =
            Machine::open(&state_path, create, options.cache_bytes, clock).map_err(|e| unreadable(&state_path, &e))?;
        let mut directory = Self { path, identity, log, machine: Arc::new(machine) };
        directory.check_files_fit()?;
        if directory.identity.incarnation.is_none() {
            let named = Identity { incarnation: Some(drawn), ..directory.identity.clone() };
            directory.replace_identity(named).map_err(|e| unreadable(&directory.path.join("identity"), &e))?;
        }
        Ok(directory)
    }

    /// Names this directory.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.identity.incarnation.unwrap_or(Incarnation::from_bytes([0; 16]))
    }

    fn replace_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        write_identity(&self.path, &identity)?;
        self.identity = identity;
        Ok(())
    }

    /// Log and state must be halves of one whole.
    fn check_files_fit(&self) -> Result<(), StartError> {
        let incomplete =
            |found, missing: String| Err(StartError::Incomplete { dir: self.path.clone(), found, missing });
        let applied = self.machine.applied();
        if applied.is_some() && self.log.is_pristine() {
            return incomplete("the state", "the log is empty".to_owned());
        }
        if let Some(purged) = self.log.purged()
            && applied < Some(purged)
        {
            let missing = format!("the state ends before entry {}, up to which the log was purged", purged.index);
            return incomplete("the log", missing);
        }
        if let (Some(formed), Some(map)) = (self.identity.cluster, self.machine.map())
            && map.cluster != formed
        {
            let (theirs, ours) = (format!("cluster {}", map.cluster), format!("cluster {formed}"));
            return Err(StartError::Foreign { dir: self.path.join("state.redb"), theirs, ours });
        }
        Ok(())
    }

    /// Applies what the log holds beyond the state, whether it was agreed on or not.
    pub(crate) fn apply_rest(&self) -> Result<(), StoreError> {
        let last = self.log.end().index;
        let mut next = self.machine.applied().map_or(0, |id| id.index + 1);
        while next <= last {
            let entries = self.log.entries(next, (next + ENTRIES_PER_STEP).min(last + 1))?;
            let Some(reached) = entries.last().map(|entry| entry.log_id.index) else { break };
            self.machine.apply(&entries)?;
            next = reached + 1;
        }
        Ok(())
    }

    /// Records that the cluster is formed: from now on the files must be there.
    pub(crate) fn set_formed(&mut self, cluster: ClusterId) -> Result<(), StoreError> {
        if self.identity.cluster.is_some() {
            return Ok(());
        }
        self.replace_identity(Identity { cluster: Some(cluster), ..self.identity.clone() })
    }
}

/// Whether the beginning of a database file says that its creation was cut off: redb writes the first bytes last, once
/// everything else is synced. Nothing can have been acknowledged on the strength of such a file.
pub(crate) fn is_unborn(start: &[u8]) -> bool {
    start.iter().take(UNBORN_BYTES).all(|byte| *byte == 0)
}

/// Removes a file whose creation was cut off.
fn remove_unborn(path: &Path) -> std::io::Result<()> {
    use std::io::Read;
    let mut start = Vec::new();
    match std::fs::File::open(path) {
        Ok(file) => file.take(UNBORN_BYTES as u64).read_to_end(&mut start)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if is_unborn(&start) { std::fs::remove_file(path) } else { Ok(()) }
}

/// Makes `dir`, whose files are complete, the directory of a member of a formed cluster.
pub(crate) fn write_formed(
    dir: &Path,
    member: MemberId,
    cluster: ClusterId,
    incarnation: Incarnation,
) -> Result<(), StoreError> {
    let (cluster, incarnation) = (Some(cluster), Some(incarnation));
    write_identity(dir, &Identity { format: FORMAT_VERSION, member, cluster, incarnation })
}

/// The member that `dir` belongs to, if it holds one.
pub(crate) fn member_in(dir: &Path) -> Result<Option<MemberId>, StartError> {
    Ok(read_identity(dir)?.map(|identity| identity.member))
}

/// The cluster that `dir` belongs to, if it holds a member of one.
pub(crate) fn cluster_in(dir: &Path) -> Result<Option<ClusterId>, StartError> {
    Ok(read_identity(dir)?.and_then(|identity| identity.cluster))
}

fn read_identity(dir: &Path) -> Result<Option<Identity>, StartError> {
    let path = dir.join("identity");
    let unreadable = |detail: String| StartError::Unreadable { path: path.clone(), detail };
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error.to_string())),
    };
    let row = bytes.strip_prefix(MAGIC).ok_or_else(|| unreadable("it is not an identity file".to_owned()))?;
    let identity: Identity = minicbor::decode(row).map_err(|e| unreadable(e.to_string()))?;
    if identity.format > FORMAT_VERSION {
        return Err(StartError::Newer { dir: dir.to_owned(), found: identity.format });
    }
    Ok(Some(identity))
}

/// The identity of a new member, in a directory that must be empty and is expected to be.
fn create_identity(options: &Options, files: &[&Path], drawn: Incarnation) -> Result<Identity, StartError> {
    let dir = options.dir.clone();
    if let Some(file) = files.iter().find(|file| file.exists()) {
        let missing = format!("{} has no identity file beside it", file.display());
        return Err(StartError::Incomplete { dir, found: "a part of a member", missing });
    }
    if let Some(cluster) = options.known_cluster {
        return Err(StartError::Lost { dir, cluster });
    }
    let identity =
        Identity { format: FORMAT_VERSION, member: options.member_id, cluster: None, incarnation: Some(drawn) };
    write_identity(&dir, &identity)
        .map_err(|e| StartError::Unreadable { path: dir.join("identity"), detail: e.to_string() })?;
    Ok(identity)
}

fn check_identity(options: &Options, identity: &Identity) -> Result<(), StartError> {
    let foreign = |theirs: String, ours: String| StartError::Foreign { dir: options.dir.clone(), theirs, ours };
    if identity.member != options.member_id {
        return Err(foreign(format!("member {}", identity.member), format!("member {}", options.member_id)));
    }
    match (identity.cluster, options.known_cluster) {
        (Some(theirs), Some(ours)) if theirs != ours => {
            Err(foreign(format!("cluster {theirs}"), format!("cluster {ours}, as the disks say")))
        }
        (None, Some(cluster)) => Err(StartError::Lost { dir: options.dir.clone(), cluster }),
        _ => Ok(()),
    }
}

/// Replaces the identity file as a whole.
fn write_identity(dir: &Path, identity: &Identity) -> Result<(), StoreError> {
    use std::io::Write;
    let (path, next) = (dir.join("identity"), dir.join("identity.next"));
    let mut bytes = MAGIC.to_vec();
    // Writing to a Vec cannot fail.
    let _ = minicbor::encode(identity, &mut bytes);
    let failed = |e: std::io::Error| StoreError::file(&next, e);
    let mut file = std::fs::File::create(&next).map_err(failed)?;
    file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
    std::fs::rename(&next, &path).map_err(failed)?;
    sync_directory(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestClock;
    use cairn_core::id::ClusterId;
    use tempfile::TempDir;

    fn open(dir: &Path, known_cluster: Option<ClusterId>) -> Result<Directory, StartError> {
        let options = Options { known_cluster, cache_bytes: 1 << 20, ..Options::new(dir) };
        Directory::open(&options, TestClock::new(), Incarnation::from_bytes([5; 16]))
    }

    /// Waits until the log's thread has closed its file.
    fn close(directory: Directory) {
        let open = directory.log.open_token();
        drop(directory);
        while open.strong_count() > 0 {
            std::thread::yield_now();
        }
    }

    fn formed() -> (TempDir, ClusterId) {
        let (dir, cluster) = (TempDir::new().unwrap(), ClusterId::from_random([4; 16]));
        let mut directory = open(dir.path(), None).unwrap();
        directory.set_formed(cluster).unwrap();
        close(directory);
        (dir, cluster)
    }

    #[test]
    fn a_formed_directory_opens_again_and_a_half_made_one_is_completed() {
        let (dir, cluster) = formed();
        close(open(dir.path(), Some(cluster)).unwrap());
        let fresh = TempDir::new().unwrap();
        close(open(fresh.path(), None).unwrap());
        std::fs::remove_file(fresh.path().join("state.redb")).unwrap();
        close(open(fresh.path(), None).unwrap());
        // Power failed while the file was made.
        std::fs::write(fresh.path().join("log.redb"), vec![0; 4096]).unwrap();
        close(open(fresh.path(), None).unwrap());
        let (formed, _) = formed();
        std::fs::write(formed.path().join("log.redb"), vec![0; 4096]).unwrap();
        assert!(matches!(open(formed.path(), None), Err(StartError::Damaged { .. })), "it held promises once");
    }

    /// Writes a row past everything that guards it.
    fn put(file: &Path, table: &str, key: &str, value: &[u8]) {
        let database = redb::Database::open(file).unwrap();
        let transaction = database.begin_write().unwrap();
        let definition = redb::TableDefinition::<&str, &[u8]>::new(table);
        transaction.open_table(definition).unwrap().insert(key, value).unwrap();
        transaction.commit().unwrap();
    }

    /// I3: what follows a hole may never be applied.
    #[test]
    fn a_log_with_a_hole_is_refused() {
        let rows: redb::TableDefinition<'static, u64, &'static [u8]> = redb::TableDefinition::new("log");
        for removed in [0, 1] {
            let (dir, _) = formed();
            let path = dir.path().join("log.redb");
            {
                let database = redb::Database::open(&path).unwrap();
                let transaction = database.begin_write().unwrap();
                for index in (0..3u64).filter(|index| *index != removed) {
                    // A blank entry: its log id and an empty payload.
                    let row = [0x82, 0x83, 0x01, 0x01, index as u8, 0x82, 0x00, 0x80];
                    transaction.open_table(rows).unwrap().insert(index, row.as_slice()).unwrap();
                }
                transaction.commit().unwrap();
            }
            let refused = open(dir.path(), None).err().unwrap().to_string();
            assert!(refused.contains("entries are missing"), "{refused}");
        }
    }

    /// I15, I18, I30: each is refused with a text of its own, and nothing is made.
    #[test]
    fn what_is_not_whole_is_refused() {
        let (_, other) = formed();
        let empty = TempDir::new().unwrap();
        assert!(matches!(open(empty.path(), Some(other)), Err(StartError::Lost { .. })));
        assert!(std::fs::read_dir(empty.path()).unwrap().next().is_none());
        for (file, known) in [("log.redb", None), ("state.redb", None), ("identity", None)] {
            let (dir, _) = formed();
            std::fs::remove_file(dir.path().join(file)).unwrap();
            assert!(matches!(open(dir.path(), known), Err(StartError::Incomplete { .. })), "{file}");
            assert!(!dir.path().join(file).exists());
        }
        for file in ["log.redb", "state.redb", "identity"] {
            let (dir, _) = formed();
            std::fs::write(dir.path().join(file), b"rubbish").unwrap();
            let refused = open(dir.path(), None).err();
            assert!(matches!(refused, Some(StartError::Damaged { .. } | StartError::Unreadable { .. })), "{file}");
            assert_eq!(std::fs::read(dir.path().join(file)).unwrap(), b"rubbish");
        }
        for (file, table, newer, format) in
            [("log.redb", "state", "the log", 2), ("state.redb", "meta", "the state", 3)]
        {
            let (dir, _) = formed();
            put(&dir.path().join(file), table, "format", &[format]);
            let refused = open(dir.path(), None).err().unwrap().to_string();
            assert!(refused.contains(newer) && refused.contains(&format!("version {format}")), "{refused}");
        }
        let (dir, _) = formed();
        let other = Options { member_id: 2, ..Options::new(dir.path()) };
        let refused = Directory::open(&other, TestClock::new(), Incarnation::from_bytes([5; 16])).err().unwrap();
        assert!(refused.to_string().contains("belongs to member 1, not to member 2"), "{refused}");
        let (dir, _) = formed();
        let foreign = Some(ClusterId::from_random([5; 16]));
        assert!(matches!(open(dir.path(), foreign), Err(StartError::Foreign { .. })));
        let newer = Identity { format: 2, member: 1, cluster: None, incarnation: None };
        write_identity(dir.path(), &newer).unwrap();
        assert!(matches!(open(dir.path(), None), Err(StartError::Newer { found: 2, .. })));
    }
}
