//! Keeps the session open and the cluster map fresh.

use std::time::Duration;

use cairn_core::id::SessionId;
use cairn_core::release::Release;
use cairn_protocol::metadata::command::{OpenSession, OpenSystemSession};
use cairn_protocol::metadata::{MetadataExt, Signal};

use super::path::DataPath;
use super::session::NoSession;

/// How often the lease is renewed and the cluster map checked.
const RENEW_INTERVAL: Duration = Duration::from_secs(1);
/// How often both are tried while a gateway starts.
const START_INTERVAL: Duration = Duration::from_millis(100);

impl DataPath {
    /// Keeps the session and the cluster map fresh; never returns.
    pub async fn keep_alive(self) {
        loop {
            match self.session.id() {
                Ok(id) => renew(&self, id).await,
                Err(NoSession) => open(&self).await,
            }
            tokio::time::sleep(if self.is_ready() { RENEW_INTERVAL } else { START_INTERVAL }).await;
        }
    }
}

async fn open(path: &DataPath) {
    let (gateway, release) = (path.session.gateway(), Release::current());
    let opened = if path.session.is_system() {
        path.metadata.run(OpenSystemSession { writer: gateway, release }).await
    } else {
        path.metadata.run(OpenSession { gateway, release, name: Some(path.session.name().to_owned()) }).await
    };
    match opened {
        Ok(id) => {
            path.session.opened(id);
            tracing::info!(session = %id, "gateway session opened");
            path.fetch_map().await;
        }
        Err(error) => tracing::warn!(%error, "waiting for the metadata service to open a gateway session"),
    }
}

async fn renew(path: &DataPath, id: SessionId) {
    match path.metadata.signal(Signal::RenewSession(id)).await {
        Ok(answer) => {
            if !answer.session_valid {
                tracing::warn!(session = %id, "the metadata service has ended this gateway's session; opening another");
                path.session.ended(id);
                open(path).await;
            }
            if answer.map_epoch > path.view.epoch() {
                path.fetch_map().await;
            }
        }
        Err(error) => tracing::warn!(%error, "could not renew the gateway session; retrying"),
    }
}
