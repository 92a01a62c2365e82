//! Passes calls on to the leader, for a process that does not reach it.
//!
//! The caller has proven its role to this member, which checks that it may send the message; between members every message may be
//! sent. A call is passed on once: the leader's answer is the answer, whatever it is.

use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::metadata::{Answer, Outcome, Query, SignalAnswer};
use cairn_protocol::rpc::{Execute, GroupPath, LeaderMessage, MetadataFailure, MetadataPath};
use minicbor::{Decode, Encode};

use super::member::RunningMember;
use crate::leader::LeaderError;

/// Time for the leader's answer, less than the caller waits for this member's.
const QUERY_LIMIT: Duration = Duration::from_millis(2500);
const COMMAND_LIMIT: Duration = Duration::from_millis(5500);

impl RunningMember {
    /// A command.
    pub(super) async fn relay_command(&self, message: Execute) -> Result<Outcome, MetadataFailure> {
        let own = self.execute(message.command.clone(), message.call).await;
        self.or_leader(own, MetadataPath::EXECUTE, &message, COMMAND_LIMIT).await
    }

    /// A query.
    pub(super) async fn relay_query(&self, query: Query) -> Result<Answer, MetadataFailure> {
        let own = self.query(query.clone()).await;
        self.or_leader(own, MetadataPath::QUERY, &query, QUERY_LIMIT).await
    }

    /// A signal, or an operator's request.
    pub(super) async fn relay_signal(
        self: &Arc<Self>,
        message: LeaderMessage,
    ) -> Result<SignalAnswer, MetadataFailure> {
        let own = self.hear(message.clone()).await;
        self.or_leader(own, MetadataPath::SIGNAL, &message, QUERY_LIMIT).await
    }

    /// This member's own result if it leads, else the leader's.
    async fn or_leader<M, A>(
        &self,
        own: Result<A, LeaderError>,
        path: GroupPath,
        message: &M,
        limit: Duration,
    ) -> Result<A, MetadataFailure>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let leader = match own {
            Err(LeaderError::NotLeader(Some(leader))) if !leader.is_empty() => leader,
            own => return own.map_err(MetadataFailure::from),
        };
        match self.rpc.call::<M, A, MetadataFailure>(&leader, path.direct, message, limit).await {
            Ok(answer) => answer,
            Err(error) if error.is_definite_no() => Err(MetadataFailure::Unavailable(error.to_string())),
            Err(error) => Err(MetadataFailure::Unknown(error.to_string())),
        }
    }
}
