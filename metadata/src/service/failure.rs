//! The one place where a [`LeaderError`] becomes a message of the RPC.

use cairn_protocol::rpc::MetadataFailure;
use http::StatusCode;

use crate::leader::LeaderError;
use crate::raft::message::Stopped;

impl From<LeaderError> for MetadataFailure {
    fn from(error: LeaderError) -> Self {
        let text = error.to_string();
        match error {
            LeaderError::Rejected(rejection) => Self::Rejected(rejection),
            LeaderError::NotLeader(leader) => Self::NotLeader(leader),
            LeaderError::NotReady
            | LeaderError::HandingOver
            | LeaderError::Stopping
            | LeaderError::NoQuorum(_)
            | LeaderError::MembershipBusy(_) => Self::Unavailable(text),
            LeaderError::TooLate { .. }
            | LeaderError::LostLead
            | LeaderError::NotElectedYet(_)
            | LeaderError::Forgotten
            | LeaderError::TaskEnded(_)
            | LeaderError::RaftStopped(_) => Self::Unknown(text),
            LeaderError::RaftDown(_) | LeaderError::Store(_) | LeaderError::ReadBroken(_) => Self::Store(text),
        }
    }
}

/// The HTTP status of a failure.
pub(super) trait Failed {
    fn status(&self) -> StatusCode;
}

impl Failed for MetadataFailure {
    fn status(&self) -> StatusCode {
        match self {
            Self::Rejected(_) => StatusCode::CONFLICT,
            Self::NotLeader(_) => StatusCode::MISDIRECTED_REQUEST,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Unknown(_) | Self::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Failed for Stopped {
    fn status(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}
