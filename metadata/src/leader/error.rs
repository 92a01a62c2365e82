//! Why the leader could not do something.

use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::metadata::Rejection;
use tokio::task::JoinError;

use crate::error::{Refused, StoreError};

/// The leader could not do something. Each says whether it may have happened all the same.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum LeaderError {
    /// It has not happened, and will not.
    #[error("{0}")]
    Rejected(#[from] Rejection),
    /// It has not happened: this member does not lead. Holds the leader's address, if it is known.
    #[error("this member does not lead the metadata service")]
    NotLeader(Option<String>),
    /// It has not happened: the leader has not applied what earlier leaders committed.
    #[error("the leader is not ready yet")]
    NotReady,
    /// It has not happened: another member is about to lead.
    #[error("the lead is being handed over")]
    HandingOver,
    /// It has not happened: the member is shutting down.
    #[error("the metadata service is stopping")]
    Stopping,
    /// It has not happened: no majority confirms the lead.
    #[error("{0}")]
    NoQuorum(String),
    /// It has not happened: another change of the membership is under way.
    #[error("{0}")]
    MembershipBusy(String),
    /// It may have happened, or may happen yet.
    #[error("not {what} within {limit:?}; it may be yet")]
    TooLate {
        /// The event that did not happen.
        what: &'static str,
        limit: Duration,
    },
    /// It may have happened, or may happen yet: this member led when it was asked, or may have, and another one's log took the
    /// place of what it wrote.
    #[error("this member has lost the lead; what it wrote may be committed yet by a member that holds it")]
    LostLead,
    /// It may have happened: member `0` stands for election.
    #[error("member {0} stands for election and is not elected yet")]
    NotElectedYet(cairn_core::id::MemberId),
    /// It was not done now and may have been done before.
    #[error("its outcome is not remembered any more")]
    Forgotten,
    /// It may have happened: the task that was at it ended.
    #[error("{0}")]
    TaskEnded(String),
    /// It may have happened: Raft stopped on the way.
    #[error("{0}")]
    RaftStopped(String),
    /// It has not happened: Raft does not run any more.
    #[error("{0}")]
    RaftDown(String),
    /// A read failed.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// A read was cut off.
    #[error("{0}")]
    ReadBroken(Arc<JoinError>),
}

impl From<StoreError> for LeaderError {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl From<JoinError> for LeaderError {
    fn from(error: JoinError) -> Self {
        Self::ReadBroken(Arc::new(error))
    }
}

impl From<Refused> for LeaderError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(rejection) => Self::Rejected(rejection),
            Refused::Store(error) => error.into(),
        }
    }
}

impl From<redb::StorageError> for LeaderError {
    fn from(error: redb::StorageError) -> Self {
        StoreError::from(error).into()
    }
}
