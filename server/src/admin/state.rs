//! What the calls need.

use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::Epoch;
use cairn_gateway::Gateway;
use cairn_protocol::metadata::query::GetClusterMap;
use cairn_protocol::metadata::{MetadataError, MetadataExt, OperatedMetadata};
use cairn_protocol::sigv4::{Credentials, SigningKeyCache};
use cairn_protocol::storage::StorageDirectory;
use cairn_recovery::backup::BackupsInStore;

/// What the calls need.
#[derive(Clone)]
pub(crate) struct AdminState {
    pub(crate) metadata: Arc<dyn OperatedMetadata>,
    pub(crate) storage: StorageDirectory,
    /// The metadata member in this process, if it has one.
    pub(crate) member: Option<cairn_metadata::Handle>,
    /// The gateway in this process, if it has one.
    pub(crate) gateway: Option<Gateway>,
    /// Backups into the store, if this process has a member.
    pub(crate) backups: Option<Arc<BackupsInStore>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) root: Credentials,
    pub(crate) keys: Arc<SigningKeyCache>,
    /// Becomes true once the roles of this process serve.
    pub(crate) ready: tokio::sync::watch::Receiver<bool>,
}

impl AdminState {
    /// The current cluster map.
    pub(super) async fn cluster_map(&self) -> Result<ClusterMap, MetadataError> {
        let map = self.metadata.ask(GetClusterMap { known: Epoch(0) }).await?;
        map.ok_or(MetadataError::Protocol("no cluster map although none is known here".into()))
    }
}
