//! The leader's side of operator requests.

use std::sync::Arc;

use cairn_protocol::metadata::{OperatorRequest, SignalAnswer};
use cairn_protocol::rpc::LeaderMessage;

use super::member::RunningMember;
use crate::leader::LeaderError;
use crate::raft::proposal::Change;

impl RunningMember {
    /// Takes a signal or carries out a request, if this member leads.
    pub(super) async fn hear(self: &Arc<Self>, message: LeaderMessage) -> Result<SignalAnswer, LeaderError> {
        match message {
            LeaderMessage::Signal(signal) => self.signal(signal).await,
            LeaderMessage::Operator(request) => {
                self.operate(request).await?;
                self.signal_answer().await
            }
        }
    }

    /// Carries out an operator's request, if this member leads.
    pub(super) async fn operate(self: &Arc<Self>, request: OperatorRequest) -> Result<(), LeaderError> {
        self.leader.confirm_lead().await?;
        self.leader.begin_history().await?;
        match request {
            OperatorRequest::AddMember(new) => self.add_member(new.member, new.addr).await,
            OperatorRequest::RemoveMember(member) => self.remove_member(member).await,
            OperatorRequest::TransferLead(member) => self.transfer_lead(member).await,
            OperatorRequest::FinalizeUpgrade => self.finalize_upgrade().await,
            OperatorRequest::EndRestoreHold => self.leader.change(Change::EndRestoreHold).await,
        }
    }
}
