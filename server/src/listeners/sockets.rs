//! Which addresses a process listens on.

use std::net::SocketAddr;

use cairn_protocol::net::{Listen, Listener};

use super::http::{ListenError, bind};
use crate::config::{Gateway, Role, Server};

/// The sockets of a process.
pub(crate) struct Listeners {
    pub(crate) s3: Option<Box<dyn Listener>>,
    pub(crate) admin: Box<dyn Listener>,
    pub(crate) rpc: Option<Box<dyn Listener>>,
}

impl Listeners {
    pub(crate) async fn bind(server: &Server, gateway: &Gateway, network: &dyn Listen) -> Result<Self, ListenError> {
        let s3 = if server.has(Role::Gateway) {
            Some(bind(network, &gateway.s3_addr, "S3", "--s3-addr").await?)
        } else {
            None
        };
        let admin = bind(network, &server.admin_addr, "the admin API", "--admin-addr").await?;
        let serves_rpc = server.has(Role::Metadata) || server.has(Role::StorageNode);
        // With all roles in one process there is no other to talk to.
        let rpc = if serves_rpc && !server.is_all_in_one() {
            Some(bind(network, &server.rpc_addr, "internal RPC", "--rpc-addr").await?)
        } else {
            None
        };
        Ok(Self { s3, admin, rpc })
    }

    pub(crate) fn s3_addr(&self) -> Option<SocketAddr> {
        self.s3.as_ref().and_then(|l| l.local_addr().ok())
    }

    pub(crate) fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin.local_addr().ok()
    }
}
