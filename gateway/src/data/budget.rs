//! The limit on memory that all bodies together may hold (I23).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a body gets no share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BudgetError {
    /// The budget stayed exhausted for as long as a request may wait. The client is asked to slow down.
    #[error("the gateway's memory budget of {budget_bytes} bytes is in use")]
    Exhausted { budget_bytes: u64 },
    /// The whole budget is not enough, however long the request waits.
    #[error(
        "one body of this shape takes {needed_bytes} bytes of memory, and gateway.memory is {budget_bytes}: set it to \
         {needed_bytes} or more"
    )]
    TooSmall { needed_bytes: u64, budget_bytes: u64 },
}

/// Hands out shares of a fixed number of bytes. Cheap to clone.
///
/// A body takes one share before it begins, and never waits for a second while it holds one: so those that have theirs always
/// come to an end.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    permits: Arc<Semaphore>,
    total_kib: u32,
}

/// What one body may hold, until this is dropped.
#[derive(Debug)]
pub struct MemoryShare(OwnedSemaphorePermit);

/// How long a request waits for its share.
const WAIT: Duration = Duration::from_secs(10);

impl MemoryBudget {
    pub fn new(bytes: u64) -> Self {
        let total_kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX).max(1);
        Self { permits: Arc::new(Semaphore::new(total_kib as usize)), total_kib }
    }

    /// Bytes of the whole budget.
    pub fn total_bytes(&self) -> u64 {
        u64::from(self.total_kib) * 1024
    }

    /// Takes `bytes` until the share is dropped. Waits at most ten seconds.
    pub async fn take(&self, bytes: u64) -> Result<MemoryShare, BudgetError> {
        let kib = self.kib(bytes)?;
        // The fast path needs no timer.
        if let Ok(share) = Arc::clone(&self.permits).try_acquire_many_owned(kib) {
            return Ok(MemoryShare(share));
        }
        match tokio::time::timeout(WAIT, Arc::clone(&self.permits).acquire_many_owned(kib)).await {
            Ok(Ok(share)) => Ok(MemoryShare(share)),
            Ok(Err(_)) | Err(_) => Err(self.exhausted()),
        }
    }

    /// Makes a share as large as `bytes`, if it is smaller and there is room now: whoever holds a share does not wait.
    pub fn grow(&self, share: &mut MemoryShare, bytes: u64) -> Result<(), BudgetError> {
        let more = (self.kib(bytes)? as usize).saturating_sub(share.0.num_permits());
        if more == 0 {
            return Ok(());
        }
        let more = Arc::clone(&self.permits).try_acquire_many_owned(more as u32).map_err(|_| self.exhausted())?;
        share.0.merge(more);
        Ok(())
    }

    fn kib(&self, bytes: u64) -> Result<u32, BudgetError> {
        let kib = u32::try_from(bytes.div_ceil(1024)).ok().filter(|kib| *kib <= self.total_kib);
        kib.ok_or(BudgetError::TooSmall { needed_bytes: bytes, budget_bytes: self.total_bytes() })
    }

    fn exhausted(&self) -> BudgetError {
        BudgetError::Exhausted { budget_bytes: self.total_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_share_is_never_smaller_than_what_was_asked_for() {
        let budget = MemoryBudget::new(1 << 20);
        let too_small = BudgetError::TooSmall { needed_bytes: (1 << 20) + 1, budget_bytes: 1 << 20 };
        assert_eq!(budget.take((1 << 20) + 1).await.map(drop), Err(too_small));
        let whole = budget.take(1 << 20).await.unwrap();
        assert_eq!(budget.take(1).await.map(drop), Err(BudgetError::Exhausted { budget_bytes: 1 << 20 }));
        drop(whole);
        budget.take(1 << 20).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_share_grows_without_waiting_or_not_at_all() {
        let budget = MemoryBudget::new(10 << 10);
        let (mut first, second) = (budget.take(4 << 10).await.unwrap(), budget.take(4 << 10).await.unwrap());
        budget.grow(&mut first, 6 << 10).unwrap();
        assert!(matches!(budget.grow(&mut first, 7 << 10), Err(BudgetError::Exhausted { .. })));
        assert!(matches!(budget.grow(&mut first, 11 << 10), Err(BudgetError::TooSmall { .. })));
        drop(second);
        budget.grow(&mut first, 10 << 10).unwrap();
        budget.grow(&mut first, 1).unwrap();
        drop(first);
        budget.take(10 << 10).await.unwrap();
    }
}
