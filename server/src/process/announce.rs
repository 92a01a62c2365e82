//! Says when everything is up: to `GET /health`, and to the person at the terminal.

use std::net::SocketAddr;
use std::time::Duration;

use cairn_gateway::Gateway;
use tokio::sync::watch;

use crate::admin::{self, AdminState};
use crate::banner;
use crate::credentials::LoadedCredentials;

/// What is printed once everything is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announce {
    Banner,
    Nothing,
}

/// Time between two checks whether the roles are up.
const READY_POLL: Duration = Duration::from_millis(20);

/// Waits for the roles of a process.
pub(super) struct Announcement {
    pub(super) gateway: Option<Gateway>,
    pub(super) storage: Option<cairn_storage_node::Handle>,
    pub(super) admin: AdminState,
    pub(super) ready: watch::Sender<bool>,
    pub(super) banner: Option<Banner>,
}

/// What the banner shows beside the profile of new objects.
pub(super) struct Banner {
    pub(super) s3_addr: Option<SocketAddr>,
    pub(super) admin_addr: SocketAddr,
    pub(super) keys: LoadedCredentials,
}

impl Announcement {
    /// Announces once everything is up, then waits for ever.
    pub(super) async fn run(self) {
        while !self.is_ready() {
            tokio::time::sleep(READY_POLL).await;
        }
        let profile = admin::profile_line(&self.admin).await;
        let _ = self.ready.send(true);
        if let Some(Banner { s3_addr, admin_addr, keys }) = &self.banner {
            banner::print(*s3_addr, *admin_addr, keys, &profile);
        }
        // The receivers are in the routers: the sender must outlive them, or they cannot read `true`.
        self.ready.closed().await;
    }

    fn is_ready(&self) -> bool {
        self.gateway.as_ref().is_none_or(Gateway::is_ready)
            && self.storage.as_ref().is_none_or(cairn_storage_node::Handle::is_ready)
    }
}
