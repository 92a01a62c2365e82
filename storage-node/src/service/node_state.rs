//! What a node remembers: its id, the disks that it has ever had, and how far the cluster's history has come.

use std::path::{Path, PathBuf};

use cairn_core::id::{ClusterId, DiskId, NodeId};
use cairn_core::random::RandomSource;
use cairn_protocol::storage::SeenCommit;
use minicbor::{Decode, Encode};

use super::error::StartError;

const FILE: &str = "storage-node.cbor";
const VERSION: u16 = 2;

/// What a node remembers, in a file of its state directory.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct NodeState {
    #[n(0)]
    version: u16,
    #[n(1)]
    pub(super) node: NodeId,
    /// `None` until the node is registered.
    #[n(2)]
    pub(super) cluster: Option<ClusterId>,
    /// All disks that the node has ever had.
    #[n(3)]
    pub(super) disks: Vec<KnownDisk>,
    /// The newest commit that each group of the metadata service has shown (I15).
    #[n(6)]
    #[cbor(default)]
    pub(super) seen: Vec<SeenCommit>,
}

/// A disk that the node has had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct KnownDisk {
    /// Its directory.
    #[n(0)]
    pub(super) path: String,
    #[n(1)]
    pub(super) id: DiskId,
    /// Whether it was formatted: from then on, an empty directory is a missing disk and never a new one (I18).
    #[n(2)]
    pub(super) formatted: bool,
}

impl NodeState {
    fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// Reads the state, or creates it for a new node.
    pub(super) fn load(directory: &Path, random: &dyn RandomSource) -> Result<Self, StartError> {
        Ok(Self::read(directory)?.unwrap_or_else(|| Self {
            version: VERSION,
            node: NodeId::from_random(random.bytes16()),
            cluster: None,
            disks: Vec::new(),
            seen: Vec::new(),
        }))
    }

    /// Reads the state; `None` in a directory without one.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, StartError> {
        let path = Self::file(directory);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StartError::State { path, source }),
        };
        match minicbor::decode::<Self>(&bytes) {
            Ok(state) if state.version == VERSION => Ok(Some(state)),
            Ok(state) => {
                let detail = format!("its version is {}, this release reads {VERSION} only", state.version);
                Err(StartError::BadState { path, detail })
            }
            Err(error) => Err(StartError::BadState { path, detail: error.to_string() }),
        }
    }

    /// Writes the state durably.
    pub(super) fn save(&self, directory: &Path) -> Result<(), StartError> {
        let failed = |source| StartError::State { path: Self::file(directory), source };
        std::fs::create_dir_all(directory).map_err(failed)?;
        crate::durable_file::replace(&Self::file(directory), &cairn_protocol::rpc::encode(self)).map_err(failed)
    }

    /// The disk that was last in a directory.
    pub(super) fn disk_at(&self, path: &str) -> Option<&KnownDisk> {
        self.disks.iter().find(|disk| disk.path == path)
    }

    /// A disk is in this directory, or is about to be formatted there.
    pub(super) fn note(&mut self, path: &str, id: DiskId, formatted: bool) {
        self.disks.retain(|disk| disk.id != id && disk.path != path);
        self.disks.push(KnownDisk { path: path.to_owned(), id, formatted });
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::testing::{CountingRandom, commit_at};

    use super::*;

    #[test]
    fn a_state_reads_back_and_what_cannot_be_read_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let random = CountingRandom::default();
        let mut state = NodeState::load(directory.path(), &random).unwrap();
        state.note("a", DiskId::from_random([1; 16]), false);
        state.note("a", DiskId::from_random([1; 16]), true);
        state.seen = vec![SeenCommit { commit: commit_at(9), history: None }];
        state.save(directory.path()).unwrap();
        assert_eq!(NodeState::load(directory.path(), &random).unwrap(), state);
        assert_eq!(state.disks.len(), 1);
        for version in [1, 3] {
            NodeState { version, ..state.clone() }.save(directory.path()).unwrap();
            assert!(matches!(NodeState::load(directory.path(), &random), Err(StartError::BadState { .. })));
        }
        std::fs::write(directory.path().join(FILE), b"junk").unwrap();
        assert!(matches!(NodeState::load(directory.path(), &random), Err(StartError::BadState { .. })));
    }
}
