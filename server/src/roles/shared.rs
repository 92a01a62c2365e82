//! What every role is handed.

use std::sync::Arc;

use cairn_protocol::rpc::{Acceptor, Identity, Roles, RpcClient};
use cairn_protocol::storage::StorageDirectory;

use crate::config::{Role, Server};
use crate::system::System;

/// What every role is handed: the operating system, and the ways to other processes.
pub(crate) struct Shared {
    pub(crate) system: System,
    pub(crate) rpc: RpcClient,
    pub(crate) acceptor: Acceptor,
    pub(crate) directory: StorageDirectory,
}

impl Shared {
    pub(crate) fn new(identity: &Identity, system: System) -> Self {
        let rpc = system.rpc_client(identity);
        Self {
            acceptor: Acceptor::new(&identity.secret, Arc::clone(&system.random)),
            directory: StorageDirectory::new(rpc.clone()),
            rpc,
            system,
        }
    }
}

/// What a process declares to others: its roles, and that of the admin API, which every process has.
pub(crate) fn declared(server: &Server) -> Roles {
    server.roles.iter().fold(Roles::ADMIN, |roles, role| {
        roles
            | match role {
                Role::Gateway => Roles::GATEWAY,
                Role::Metadata => Roles::METADATA,
                Role::StorageNode => Roles::STORAGE_NODE,
            }
    })
}
