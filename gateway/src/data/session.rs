//! This gateway's lease with the metadata service, and the extent ids under it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use cairn_core::id::{ExtentId, NodeId, SessionId};
use cairn_protocol::metadata::command::{OpenSession, OpenSystemSession};
use cairn_protocol::metadata::{MetadataExt, Signal};

use super::DataPath;

/// No session is open yet, or the last one was ended: writes wait for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway has no session with the metadata service yet")]
pub struct NoSession;

/// How often the lease is renewed and the cluster map checked.
pub(super) const RENEW_INTERVAL: Duration = Duration::from_secs(1);

/// How often both are tried while a gateway starts.
pub(super) const START_INTERVAL: Duration = Duration::from_millis(100);

/// The open session, if there is one.
#[derive(Debug)]
pub struct Session {
    gateway: NodeId,
    /// Whether system objects are written in it.
    is_system: bool,
    open: RwLock<Option<Arc<OpenedSession>>>,
}

#[derive(Debug)]
struct OpenedSession {
    id: SessionId,
    next_extent: AtomicU64,
}

impl Session {
    /// No session yet, for the gateway called `gateway`.
    pub fn new(gateway: NodeId) -> Self {
        Self { gateway, is_system: false, open: RwLock::default() }
    }

    /// No session yet, for a writer of system objects.
    pub fn system(writer: NodeId) -> Self {
        Self { gateway: writer, is_system: true, open: RwLock::default() }
    }

    /// The id of the open session.
    pub fn id(&self) -> Result<SessionId, NoSession> {
        self.current().map(|s| s.id).ok_or(NoSession)
    }

    /// Takes `count` consecutive extent ids, which no other write will ever get (I12).
    pub fn reserve(&self, count: u64) -> Result<ExtentId, NoSession> {
        let session = self.current().ok_or(NoSession)?;
        Ok(ExtentId::new(session.id, session.next_extent.fetch_add(count, Ordering::Relaxed)))
    }

    /// The metadata service has ended the session `id`.
    pub fn ended(&self, id: SessionId) {
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|s| s.id == id) {
            *open = None;
        }
    }

    fn current(&self) -> Option<Arc<OpenedSession>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn opened(&self, id: SessionId) {
        let opened = OpenedSession { id, next_extent: AtomicU64::new(0) };
        *self.open.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(opened));
    }
}

/// Opens or renews the session, and fetches the cluster map if there is a newer one.
pub(super) async fn refresh(path: &DataPath) {
    match path.session.id() {
        Ok(id) => renew(path, id).await,
        Err(NoSession) => open(path).await,
    }
}

async fn open(path: &DataPath) {
    let gateway = path.session.gateway;
    let opened = if path.session.is_system {
        path.metadata.run(OpenSystemSession { writer: gateway }).await
    } else {
        path.metadata.run(OpenSession { gateway }).await
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
        Err(error) => tracing::warn!(%error, "could not renew the gateway session"),
    }
}
