//! Which roles may send which message to the metadata service. A member may send all of them.

use super::metadata_message::{Execute, LeaderMessage};
use super::roles::Roles;
use crate::metadata::{Command, Query, Signal};

/// A message that only some roles may send.
pub trait Rights {
    /// The roles that may send it.
    fn senders(&self) -> Roles;
}

const GATEWAY: Roles = Roles::GATEWAY.and(Roles::METADATA);
const STORAGE_NODE: Roles = Roles::STORAGE_NODE.and(Roles::METADATA);
const ADMIN: Roles = Roles::ADMIN.and(Roles::METADATA);

impl Rights for Command {
    fn senders(&self) -> Roles {
        match self {
            Self::CreateBucket(_)
            | Self::DeleteBucket(_)
            | Self::CommitObject(_)
            | Self::DeleteObject(_)
            | Self::CreateUpload(_)
            | Self::CommitPart(_)
            | Self::CompleteUpload(_)
            | Self::AbortUpload(_)
            | Self::OpenSession(_)
            | Self::EndSession(_)
            | Self::ReplaceBody(_)
            | Self::SetBucketSetting(_) => GATEWAY,
            Self::RegisterNode(_) | Self::AbandonExtents(_) => STORAGE_NODE,
            Self::ReportFaults(_) => GATEWAY | STORAGE_NODE,
            // A gateway says when it has written everything again; an operator says stop.
            Self::EndRebalance(_) => GATEWAY | ADMIN,
            Self::ChangeDisks(_) | Self::StartRebalance(_) | Self::SetProfile(_) | Self::SetClassProfile(_) => ADMIN,
            Self::SetDiskStates(_)
            | Self::FinishReclaim(_)
            | Self::GrantRebuild(_)
            | Self::ReplaceShard(_)
            | Self::EndRebuilds(_)
            | Self::OpenSystemSession(_)
            | Self::AdoptObject(_)
            | Self::RecordFindings(_)
            | Self::EndReconciliation(_)
            | Self::ApplyLifecycle(_)
            | Self::AdvanceServiceTime(_)
            | Self::RaiseLevel(_) => Roles::METADATA,
        }
    }
}

impl Rights for Query {
    fn senders(&self) -> Roles {
        match self {
            Self::GetBucketSettings(_)
            | Self::ListBuckets(_)
            | Self::GetObject(_)
            | Self::LocateExtents(_)
            | Self::ListObjects(_)
            | Self::ListVersions(_)
            | Self::GetUpload(_)
            | Self::ListParts(_)
            | Self::ListUploads(_)
            | Self::FindOffProfile(_)
            | Self::GetRebalance(_) => GATEWAY | ADMIN,
            Self::ClassifyShards(_) => STORAGE_NODE,
            Self::GetClusterMap(_) | Self::GetClusterStatus(_) => Roles::ANY,
            Self::GetRepairQueue(_)
            | Self::GetMembers(_)
            | Self::GetRepairStatus(_)
            | Self::CountDiskExtents(_)
            | Self::GetVerification(_)
            | Self::ListExtents(_)
            | Self::ListFindings(_)
            | Self::GetUpgrade(_) => ADMIN,
        }
    }
}

impl Rights for Execute {
    fn senders(&self) -> Roles {
        self.command.senders()
    }
}

impl Rights for LeaderMessage {
    fn senders(&self) -> Roles {
        match self {
            Self::Signal(Signal::RenewSession(_)) => GATEWAY,
            Self::Signal(Signal::Heartbeat(_)) => STORAGE_NODE,
            Self::Operator(_) => ADMIN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::OperatorRequest;
    use crate::metadata::command::{EndSession, SetDiskStates};
    use crate::metadata::query::{GetClusterMap, GetMembers};
    use cairn_core::id::{Epoch, SessionId};

    #[test]
    fn each_role_has_its_own_rights_and_a_member_has_all() {
        let end = Command::from(EndSession { session: SessionId(1) }).senders();
        let states = Command::from(SetDiskStates { states: Vec::new() }).senders();
        let members = Query::from(GetMembers {}).senders();
        let map = Query::from(GetClusterMap { known: Epoch(0) }).senders();
        let hold = LeaderMessage::Operator(OperatorRequest::EndRestoreHold).senders();
        for (roles, expected) in [
            (Roles::GATEWAY, [true, false, false, true, false]),
            (Roles::STORAGE_NODE, [false, false, false, true, false]),
            (Roles::ADMIN, [false, false, true, true, true]),
            (Roles::METADATA, [true; 5]),
        ] {
            assert_eq!([end, states, members, map, hold].map(|allowed| roles.intersects(allowed)), expected, "{roles}");
        }
    }
}
