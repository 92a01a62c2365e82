//! The limit on memory that all bodies together may hold (I23).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The budget stayed exhausted for as long as a request may wait. The client is asked to slow down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway's memory budget of {budget_bytes} bytes is in use")]
pub struct BudgetExhausted {
    pub budget_bytes: u64,
}

/// Hands out shares of a fixed number of bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    permits: Arc<Semaphore>,
    total_kib: u32,
}

/// How long a request waits for its share.
const WAIT: Duration = Duration::from_secs(10);

impl MemoryBudget {
    pub fn new(bytes: u64) -> Self {
        let total_kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).max(1);
        Self { permits: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
    }

    /// Takes `bytes`, or the whole budget if that is less, until the share is dropped.
    pub async fn take(&self, bytes: u64) -> Result<OwnedSemaphorePermit, BudgetExhausted> {
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).min(self.total_kib);
        let exhausted = BudgetExhausted { budget_bytes: u64::from(self.total_kib) * 1024 };
        // The fast path needs no timer.
        if let Ok(share) = Arc::clone(&self.permits).try_acquire_many_owned(kib) {
            return Ok(share);
        }
        match tokio::time::timeout(WAIT, Arc::clone(&self.permits).acquire_many_owned(kib)).await {
            Ok(Ok(share)) => Ok(share),
            Ok(Err(_)) | Err(_) => Err(exhausted),
        }
    }
}
