//! A metadata service whose answers to commits are lost, refused, or late, and whose first answer to a node's registration is
//! lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use cairn_protocol::metadata::{
    Answer, Command, Metadata, MetadataError, Outcome, Query, Rejection, Signal, SignalAnswer,
};
use tokio::sync::Semaphore;

/// What happens to a command that commits an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CommitFault {
    /// It is not done, and whether it was is not known.
    Lost,
    /// It is done, and whether it was is not known.
    AnswerLost,
    Refused,
    /// It is done once [`CommitFaults::release`] lets it.
    Waits,
}

/// Which fault there is. Cheap to clone.
#[derive(Clone)]
pub(crate) struct CommitFaults {
    fault: Arc<Mutex<Option<CommitFault>>>,
    released: Arc<Semaphore>,
}

impl CommitFaults {
    pub(crate) fn none() -> Self {
        Self { fault: Arc::default(), released: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) fn set(&self, fault: Option<CommitFault>) {
        *self.fault.lock().unwrap() = fault;
    }

    /// Lets one command go on.
    pub(crate) fn release(&self) {
        self.released.add_permits(1);
    }
}

/// The service with faults in front of it.
pub(crate) struct FaultyMetadata {
    pub(crate) inner: Arc<dyn Metadata>,
    pub(crate) faults: CommitFaults,
}

#[async_trait]
impl Metadata for FaultyMetadata {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        let fault = *self.faults.fault.lock().unwrap();
        let lost = || MetadataError::Unknown("the answer was lost".to_owned());
        match fault.filter(|_| matches!(command, Command::CommitObject(_))) {
            None => self.inner.execute(command).await,
            Some(CommitFault::Lost) => Err(lost()),
            Some(CommitFault::AnswerLost) => self.inner.execute(command).await.and_then(|_| Err(lost())),
            Some(CommitFault::Refused) => Err(Rejection::PreconditionFailed.into()),
            Some(CommitFault::Waits) => {
                self.faults.released.acquire().await.unwrap().forget();
                self.inner.execute(command).await
            }
        }
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.inner.query(query).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        self.inner.signal(signal).await
    }
}

/// The service as a storage node sees it: it registers the node, and the first time the node does not learn of it.
pub(crate) struct LostRegistration {
    inner: cairn_metadata::Handle,
    was_lost: AtomicBool,
}

impl LostRegistration {
    pub(crate) fn before(inner: cairn_metadata::Handle) -> Self {
        Self { inner, was_lost: AtomicBool::new(false) }
    }
}

#[async_trait]
impl Metadata for LostRegistration {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        let is_lost = matches!(command, Command::RegisterNode(_)) && !self.was_lost.swap(true, Ordering::Relaxed);
        let outcome = self.inner.execute(command).await;
        if is_lost { outcome.and(Err(MetadataError::Unknown("the answer was lost".to_owned()))) } else { outcome }
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.inner.query(query).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        self.inner.signal(signal).await
    }
}
