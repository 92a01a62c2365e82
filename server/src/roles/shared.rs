//! What every role is handed.

use std::sync::Arc;

use cairn_protocol::rpc::{RpcAuth, RpcClient};
use cairn_protocol::storage::StorageDirectory;

use crate::system::System;

/// What every role is handed: the operating system, and the ways to other processes.
pub(crate) struct Shared {
    pub(crate) system: System,
    pub(crate) rpc: RpcClient,
    pub(crate) auth: RpcAuth,
    pub(crate) directory: StorageDirectory,
}

impl Shared {
    pub(crate) fn new(cluster_secret: &str, system: System) -> Self {
        let rpc = RpcClient::new(cluster_secret, Arc::clone(&system.clock), Arc::clone(&system.connect));
        Self {
            auth: RpcAuth::new(cluster_secret, Arc::clone(&system.clock)),
            directory: StorageDirectory::new(rpc.clone()),
            rpc,
            system,
        }
    }
}
