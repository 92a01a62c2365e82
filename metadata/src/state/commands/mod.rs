//! One deterministic function per command: the same state and command give the same new state and outcome on every
//! member. A function checks everything before it writes, so a refused command leaves no trace.

mod abandon_extents;
mod abort_upload;
mod adopt_object;
mod advance_service_time;
mod apply_lifecycle;
mod body;
mod bootstrap;
mod change_disks;
mod commit_object;
mod commit_part;
mod complete_upload;
mod context;
mod create_bucket;
mod create_upload;
mod delete_bucket;
mod delete_object;
mod end_rebalance;
mod end_rebuilds;
mod end_session;
mod finish_reclaim;
mod grant_rebuild;
mod key_versions;
mod level;
mod open_session;
mod precondition;
mod raise_level;
mod reconciliation;
mod register_node;
mod release;
mod replace_body;
mod replace_shard;
mod report_faults;
mod revision;
mod set_bucket_setting;
mod set_disk_states;
mod set_profile;
mod start_rebalance;
#[cfg(test)]
pub(crate) mod testing;

use crate::state::stored::StoredCommand;
use cairn_protocol::metadata::command::SettingChange;
use cairn_protocol::metadata::{Command, Outcome, Rejection};

pub(crate) use bootstrap::Bootstrap;
pub(crate) use context::{Context, place};
pub(crate) use raise_level::processes;

use crate::error::{Refused, StoreError};
use crate::state::tables::Tables;

/// The outer error is the store's; it makes the whole entry fail.
pub(crate) fn apply(
    tables: &mut Tables<'_>,
    command: &StoredCommand,
    context: Context,
) -> Result<Result<Outcome, Rejection>, StoreError> {
    match dispatch(tables, command, context) {
        Ok(outcome) => Ok(Ok(outcome)),
        Err(Refused::Rejected(rejection)) => Ok(Err(rejection)),
        Err(Refused::Store(error)) => Err(error),
    }
}

fn dispatch(tables: &mut Tables<'_>, command: &StoredCommand, context: Context) -> Result<Outcome, Refused> {
    match command {
        StoredCommand::CreateBucket(c) => create_bucket::apply(tables, c, context),
        StoredCommand::DeleteBucket(c) => delete_bucket::apply(tables, c),
        StoredCommand::CommitObject(c) => commit_object::apply(tables, c, context),
        StoredCommand::DeleteObject(c) => delete_object::apply(tables, c, context),
        StoredCommand::CreateUpload(c) => create_upload::apply(tables, c, context),
        StoredCommand::CommitPart(c) => commit_part::apply(tables, c, context),
        StoredCommand::CompleteUpload(c) => complete_upload::apply(tables, c, context),
        StoredCommand::AbortUpload(c) => abort_upload::apply(tables, c, context),
        StoredCommand::OpenSession(c) => open_session::apply(tables, c, context),
        StoredCommand::EndSession(c) => end_session::apply(tables, c),
        StoredCommand::RegisterNode(c) => register_node::apply(tables, c),
        StoredCommand::SetDiskStates(c) => set_disk_states::apply(tables, c),
        StoredCommand::FinishReclaim(c) => finish_reclaim::apply(tables, c, context),
        StoredCommand::ReportFaults(c) => report_faults::apply(tables, c),
        StoredCommand::GrantRebuild(c) => grant_rebuild::apply(tables, c, context),
        StoredCommand::ReplaceShard(c) => replace_shard::apply(tables, c, context),
        StoredCommand::EndRebuilds(c) => end_rebuilds::apply(tables, c),
        StoredCommand::ChangeDisks(c) => change_disks::apply(tables, c),
        StoredCommand::StartRebalance(c) => start_rebalance::apply(tables, c, context),
        StoredCommand::EndRebalance(c) => end_rebalance::apply(tables, c, context),
        StoredCommand::SetProfile(c) => set_profile::apply(tables, c, None),
        StoredCommand::ReplaceBody(c) => replace_body::apply(tables, c, context),
        StoredCommand::OpenSystemSession(c) => open_session::apply_system(tables, c, context),
        StoredCommand::AdoptObject(c) => adopt_object::apply(tables, c, context),
        StoredCommand::RecordFindings(c) => reconciliation::record(tables, c),
        StoredCommand::EndReconciliation(c) => reconciliation::end(tables, c),
        StoredCommand::SetClassProfile(c) => set_profile::apply(tables, &c.rule, Some(c.class)),
        StoredCommand::ApplyLifecycle(c) => apply_lifecycle::apply(tables, c, context),
        StoredCommand::AdvanceServiceTime(c) => advance_service_time::apply(tables, c),
        StoredCommand::SetBucketSetting(c) => set_bucket_setting::apply(tables, c, context),
        StoredCommand::AbandonExtents(c) => abandon_extents::apply(tables, c, context),
        StoredCommand::RaiseLevel(c) => raise_level::apply(tables, c),
    }
}

/// Forms the cluster. A second attempt changes nothing.
pub(crate) fn bootstrap(tables: &mut Tables<'_>, command: &Bootstrap) -> Result<(), StoreError> {
    bootstrap::apply(tables, command)
}

/// Whether the state is larger for good after this command. Such commands are refused while the member has too little room;
/// what deletes, repairs, keeps the cluster alive or comes from its operator is not.
pub(crate) fn grows_state(command: &Command) -> bool {
    match command {
        Command::CreateBucket(_)
        | Command::CommitObject(_)
        | Command::CreateUpload(_)
        | Command::CommitPart(_)
        | Command::CompleteUpload(_)
        | Command::ReplaceBody(_)
        | Command::AdoptObject(_) => true,
        Command::SetBucketSetting(command) => matches!(command.change, SettingChange::Document(_, Some(_))),
        Command::DeleteBucket(_)
        | Command::DeleteObject(_)
        | Command::AbortUpload(_)
        | Command::OpenSession(_)
        | Command::EndSession(_)
        | Command::RegisterNode(_)
        | Command::SetDiskStates(_)
        | Command::FinishReclaim(_)
        | Command::ReportFaults(_)
        | Command::GrantRebuild(_)
        | Command::ReplaceShard(_)
        | Command::EndRebuilds(_)
        | Command::ChangeDisks(_)
        | Command::StartRebalance(_)
        | Command::EndRebalance(_)
        | Command::SetProfile(_)
        | Command::OpenSystemSession(_)
        | Command::RecordFindings(_)
        | Command::EndReconciliation(_)
        | Command::SetClassProfile(_)
        | Command::ApplyLifecycle(_)
        | Command::AdvanceServiceTime(_)
        | Command::AbandonExtents(_)
        | Command::RaiseLevel(_) => false,
    }
}

/// Whether a command can change the cluster map.
pub(crate) fn changes_map(command: &StoredCommand) -> bool {
    matches!(
        command,
        StoredCommand::RegisterNode(_)
            | StoredCommand::SetDiskStates(_)
            | StoredCommand::ChangeDisks(_)
            | StoredCommand::SetProfile(_)
            | StoredCommand::SetClassProfile(_)
            | StoredCommand::RaiseLevel(_)
    )
}
