//! Where a request came from: its channel, and its number there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::Request;

use super::key::{ChannelKey, MessagePlace};
use crate::rpc::refusal::Refusal;
use crate::rpc::roles::Roles;

/// The called end of a channel.
#[derive(Clone)]
pub struct Channel {
    shared: Arc<Shared>,
}

struct Shared {
    key: ChannelKey,
    roles: Roles,
    /// Requests that have arrived.
    arrived: AtomicU64,
}

impl Channel {
    pub(super) fn new(key: ChannelKey, roles: Roles) -> Self {
        Self { shared: Arc::new(Shared { key, roles, arrived: AtomicU64::new(0) }) }
    }

    /// Marks the next request of this channel. Requests of one connection are served one after another, in order; every
    /// one is marked, also those that are refused.
    pub fn mark<B>(&self, request: &mut Request<B>) {
        let number = self.shared.arrived.fetch_add(1, Ordering::Relaxed);
        request.extensions_mut().insert(Origin { shared: Arc::clone(&self.shared), number });
    }
}

/// Where a request came from.
#[derive(Clone)]
pub struct Origin {
    shared: Arc<Shared>,
    number: u64,
}

impl Origin {
    /// Refuses a caller that has none of the roles `allowed`; `what` is for the refusal.
    pub fn demand(&self, allowed: Roles, what: &str) -> Result<(), Refusal> {
        let roles = self.shared.roles;
        if roles.intersects(allowed) { Ok(()) } else { Err(Refusal::no_right(roles, allowed, what)) }
    }

    /// Whether the caller signed this message for this path, as this request.
    pub(in crate::rpc) fn verifies(&self, tag: &[u8], path: &str, place: MessagePlace, message: &[u8]) -> bool {
        self.shared.key.verifies(tag, self.number, path, place, message)
    }
}
