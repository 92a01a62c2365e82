//! This gateway's lease with the metadata service, and the extent ids under it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, RwLock};

use cairn_core::id::{ExtentId, NodeId, SessionId};
use cairn_core::sync::IgnorePoison;

/// No session is open: the first is still to come, or the metadata service has ended the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway has no session with the metadata service yet")]
pub struct NoSession;

/// The session that is open, if one is.
#[derive(Debug)]
pub struct Session {
    gateway: NodeId,
    /// For people.
    name: String,
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
    pub fn new(gateway: NodeId, name: String) -> Self {
        Self { gateway, name, is_system: false, open: RwLock::default() }
    }

    /// No session yet, for a writer of system objects.
    pub fn system(writer: NodeId) -> Self {
        Self { gateway: writer, name: String::new(), is_system: true, open: RwLock::default() }
    }

    pub fn id(&self) -> Result<SessionId, NoSession> {
        self.current().map(|s| s.id).ok_or(NoSession)
    }

    /// Takes `count` consecutive extent ids, which no other write will ever get (I12).
    pub fn reserve(&self, count: u64) -> Result<ExtentId, NoSession> {
        let session = self.current().ok_or(NoSession)?;
        Ok(ExtentId::new(session.id, session.next_extent.fetch_add(count, Ordering::Relaxed)))
    }

    /// The metadata service has ended the session `id`. A newer one stays open.
    pub fn ended(&self, id: SessionId) {
        let mut open = self.open.write().ignore_poison();
        if open.as_ref().is_some_and(|s| s.id == id) {
            *open = None;
        }
    }

    pub(super) fn opened(&self, id: SessionId) {
        let opened = OpenedSession { id, next_extent: AtomicU64::new(0) };
        *self.open.write().ignore_poison() = Some(Arc::new(opened));
    }

    pub(super) fn gateway(&self) -> NodeId {
        self.gateway
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_system(&self) -> bool {
        self.is_system
    }

    fn current(&self) -> Option<Arc<OpenedSession>> {
        self.open.read().ignore_poison().clone()
    }
}
