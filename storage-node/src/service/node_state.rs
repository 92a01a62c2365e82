//! What a node remembers of itself: who it is, which disks it has ever had, and how far the cluster's history went.

use std::path::{Path, PathBuf};

use cairn_core::id::{ClusterId, CommitSequence, DiskId, HistoryId, NodeId};
use cairn_core::random::RandomSource;
use minicbor::{Decode, Encode};

use super::error::StartError;

/// The state's file name.
const FILE: &str = "storage-node.cbor";
/// The layout of the file.
const VERSION: u16 = 1;

/// The node's state.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct NodeState {
    #[n(0)]
    version: u16,
    /// Who the node is.
    #[n(1)]
    pub(super) node: NodeId,
    /// The cluster, once the node has been registered.
    #[n(2)]
    pub(super) cluster: Option<ClusterId>,
    /// The disks it has ever had.
    #[n(3)]
    pub(super) disks: Vec<KnownDisk>,
    /// The newest commit that the metadata service has shown (I15).
    #[n(4)]
    pub(super) commit: CommitSequence,
    /// The history that this commit belongs to.
    #[n(5)]
    pub(super) history: Option<HistoryId>,
}

/// A disk that the node has had.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct KnownDisk {
    /// Its directory.
    #[n(0)]
    pub(super) path: String,
    /// Its identity.
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

    /// Reads the state, or makes that of a new node.
    pub(super) fn load(directory: &Path, random: &dyn RandomSource) -> Result<Self, StartError> {
        Ok(Self::read(directory)?.unwrap_or_else(|| Self {
            version: VERSION,
            node: NodeId::from_random(random.bytes16()),
            cluster: None,
            disks: Vec::new(),
            commit: CommitSequence(0),
            history: None,
        }))
    }

    /// Reads the state; nothing where there never was a node.
    pub(super) fn read(directory: &Path) -> Result<Option<Self>, StartError> {
        let path = Self::file(directory);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StartError::State { path, source }),
        };
        match minicbor::decode::<Self>(&bytes) {
            Ok(state) if state.version <= VERSION => Ok(Some(state)),
            Ok(state) => {
                let detail = format!("its version is {}, this release knows {VERSION}", state.version);
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

    /// Notes that a disk is, or is about to be, in a directory.
    pub(super) fn note(&mut self, path: &str, id: DiskId, formatted: bool) {
        self.disks.retain(|disk| disk.id != id && disk.path != path);
        self.disks.push(KnownDisk { path: path.to_owned(), id, formatted });
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::testing::CountingRandom;

    use super::*;

    #[test]
    fn it_reads_back_and_refuses_what_it_cannot_read() {
        let directory = tempfile::tempdir().unwrap();
        let random = CountingRandom::default();
        let mut state = NodeState::load(directory.path(), &random).unwrap();
        state.note("a", DiskId::from_random([1; 16]), false);
        state.note("a", DiskId::from_random([1; 16]), true);
        state.commit = CommitSequence(9);
        state.save(directory.path()).unwrap();
        assert_eq!(NodeState::load(directory.path(), &random).unwrap(), state);
        assert_eq!(state.disks.len(), 1);
        NodeState { version: 2, ..state }.save(directory.path()).unwrap();
        assert!(matches!(NodeState::load(directory.path(), &random), Err(StartError::BadState { .. })));
        std::fs::write(directory.path().join(FILE), b"junk").unwrap();
        assert!(matches!(NodeState::load(directory.path(), &random), Err(StartError::BadState { .. })));
    }
}
