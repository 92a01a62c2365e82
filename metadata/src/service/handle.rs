//! The service as the rest of the process uses it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::id::CommitSequence;
use cairn_protocol::metadata::query::RestoreHold;
use cairn_protocol::metadata::{
    Answer, Command, Metadata, MetadataError, OperatedMetadata, OperatorRequest, Outcome, Query, Signal, SignalAnswer,
};
use cairn_protocol::rpc::{HttpMetadata, MetadataFailure};

use super::member::RunningMember;
use crate::leader::{Leader, LeaderError};
use crate::raft::machine::Machine;
use crate::state::tables::meta;

/// Time for the files to close on shutdown, in steps.
const CLOSE_STEPS_MAX: u32 = 200;
const CLOSE_STEP: Duration = Duration::from_millis(10);

/// A running member. Cheap to clone; every clone is the same member.
#[derive(Clone)]
pub struct Handle {
    pub(super) member: Arc<RunningMember>,
}

impl RunningMember {
    /// The way to the member that leads, for a caller in this process, where this one could not do what it was asked.
    fn elsewhere(&self, failure: MetadataFailure) -> Result<&HttpMetadata, MetadataError> {
        let members: Vec<String> = self.leader.members().addresses().into_values().collect();
        match failure {
            MetadataFailure::NotLeader(Some(leader)) if !leader.is_empty() => self.remote.expect_leader(leader),
            MetadataFailure::NotLeader(_) | MetadataFailure::Unavailable(_) | MetadataFailure::Unknown(_)
                if members.len() > 1 => {}
            other => return Err(other.into()),
        }
        self.remote.learn_members(&members);
        Ok(&self.remote)
    }
}

fn told(error: LeaderError) -> MetadataError {
    MetadataFailure::from(error).into()
}

impl Handle {
    /// This member as the leader.
    pub(crate) fn leader(&self) -> &Arc<Leader> {
        &self.member.leader
    }

    /// The state, which a backup is a snapshot of.
    pub(crate) fn machine(&self) -> &Arc<Machine> {
        &self.member.machine
    }

    /// The newest commit that this member has applied.
    pub fn commit(&self) -> CommitSequence {
        self.member.machine.commit()
    }

    /// Present while a restored service is compared with the disks and deletes nothing.
    pub async fn restore_hold(&self) -> Result<Option<RestoreHold>, MetadataError> {
        self.member.leader.read(|view| meta::get(&view.meta()?, meta::RESTORED)).await.map_err(told)
    }

    /// Whether this member leads and answers queries.
    pub fn leads(&self) -> bool {
        self.member.leader.leads()
    }

    /// Why the member takes no part in the service, if it may not: what to do about it is said.
    pub fn refusal(&self) -> Option<String> {
        self.member.admission.check().err().map(|stopped| stopped.detail)
    }

    /// Why the member takes no commands any more, if its store has failed: the process has to be restarted once the cause
    /// is removed. A full filesystem is no failure: the member waits for room.
    pub fn failure(&self) -> Option<String> {
        self.member.raft.metrics().borrow().running_state.as_ref().err().map(ToString::to_string)
    }

    /// Ends the member: no command is taken any more, the state is synced, and the files are closed once no other handle
    /// and no router uses them (for which this waits two seconds). Calls that are under way may end with `Unavailable`
    /// or `Unknown`.
    pub async fn shutdown(self) {
        self.member.stop.send_replace(true);
        // Raft does not stop while its log waits for room.
        self.member.machine.space().close();
        if let Err(error) = self.member.raft.shutdown().await {
            tracing::warn!(%error, "the metadata service did not stop in order");
        }
        let machine = Arc::clone(&self.member.machine);
        let synced = tokio::task::spawn_blocking(move || machine.sync().map(drop).map_err(|e| e.to_string())).await;
        if let Err(error) = synced.unwrap_or_else(|panicked| Err(panicked.to_string())) {
            tracing::warn!(%error, "cannot sync the metadata state; the log is applied again at the next start");
        }
        let open = [self.member.log_open.clone(), self.member.machine.open_token()];
        drop(self);
        for _ in 0..CLOSE_STEPS_MAX {
            if open.iter().all(|token| token.strong_count() == 0) {
                return;
            }
            tokio::time::sleep(CLOSE_STEP).await;
        }
    }
}

#[async_trait]
impl Metadata for Handle {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        if self.member.leader.is_sole() {
            return self.member.leader.execute(command).await.map_err(told);
        }
        let call = self.member.remote.begin().await;
        match self.member.execute(command.clone(), Some(call.tag(false))).await {
            Ok(outcome) => Ok(outcome),
            Err(error) => {
                let failure = MetadataFailure::from(error);
                let repeated = matches!(failure, MetadataFailure::Unknown(_));
                self.member.elsewhere(failure)?.execute_call(&call, command, repeated).await
            }
        }
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        match self.member.query(query.clone()).await {
            Ok(answer) => Ok(answer),
            Err(error) => self.member.elsewhere(error.into())?.query(query).await,
        }
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        match self.member.signal(signal.clone()).await {
            Ok(answer) => Ok(answer),
            Err(error) => self.member.elsewhere(error.into())?.signal(signal).await,
        }
    }
}

#[async_trait]
impl OperatedMetadata for Handle {
    async fn operate(&self, request: OperatorRequest) -> Result<(), MetadataError> {
        match self.member.operate(request.clone()).await {
            Ok(()) => Ok(()),
            Err(error) => {
                let failure = MetadataFailure::from(error);
                let repeated = matches!(failure, MetadataFailure::Unknown(_));
                self.member.elsewhere(failure)?.operate_again(request, repeated).await
            }
        }
    }
}
