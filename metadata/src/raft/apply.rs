//! What each kind of log entry does to the tables.

use cairn_core::id::GroupId;
use cairn_protocol::metadata::{Outcome, Rejection};
use cairn_protocol::rpc::CallTag;
use openraft::EntryPayload;

use super::calls::{AppliedCalls, Standing};
use super::codec::MembershipRow;
use super::proposal::{Applied, Change, Proposal};
use super::types::Entry;
use crate::error::StoreError;
use crate::state::commands::{self, Context, place};
use crate::state::stored::StoredCommand;
use crate::state::tables::history::History;
use crate::state::tables::{Tables, absences, members, meta};

/// Applies one entry of the log of `group`.
pub(super) fn apply_entry(
    tables: &mut Tables<'_>,
    calls: &mut AppliedCalls,
    group: GroupId,
    entry: &Entry,
) -> Result<Applied, StoreError> {
    let index = entry.log_id.index;
    match &entry.payload {
        EntryPayload::Blank => Ok(Applied::default()),
        EntryPayload::Membership(membership) => {
            let row = MembershipRow::new(Some(entry.log_id), membership);
            meta::put(&mut tables.meta, meta::MEMBERSHIP, &row)?;
            Ok(Applied::default())
        }
        EntryPayload::Normal(proposal) => match &proposal.change {
            Change::Bootstrap(bootstrap) => {
                commands::bootstrap(tables, bootstrap)?;
                Ok(Applied::default())
            }
            Change::Batch(batch, tags) => {
                let mut outcomes = Vec::with_capacity(batch.len());
                let mut tags = tags.iter().flatten();
                for (item, command) in batch.iter().enumerate() {
                    let sequence = place(group, index, item)?;
                    let context = Context { sequence, now_ms: proposal.proposed_at_ms };
                    let tag = tags.next().and_then(Option::as_ref);
                    outcomes.push(apply_once(tables, calls, command, context, tag, index)?);
                }
                Ok(Applied { outcomes })
            }
            Change::Enroll(enroll) => {
                members::enroll(&mut tables.meta, enroll)?;
                Ok(Applied::default())
            }
            Change::EndRestoreHold => {
                tables.meta.remove(meta::RESTORED)?;
                Ok(Applied::default())
            }
            Change::BeginHistory(id) => {
                let mut history: History = meta::get(&tables.meta, meta::HISTORY)?.unwrap_or_default();
                history.mark(place(group, index, 0)?, *id);
                meta::put(&mut tables.meta, meta::HISTORY, &history)?;
                Ok(Applied::default())
            }
            Change::NoteAbsences(noted) => {
                if let Some(map) = tables.map()? {
                    absences::note(&mut tables.meta, &map, noted)?;
                }
                Ok(Applied::default())
            }
        },
    }
}

/// Applies a command, unless it repeats one that was applied before.
fn apply_once(
    tables: &mut Tables<'_>,
    calls: &mut AppliedCalls,
    command: &StoredCommand,
    context: Context,
    tag: Option<&CallTag>,
    index: u64,
) -> Result<Option<Result<Outcome, Rejection>>, StoreError> {
    let Some(tag) = tag else { return commands::apply(tables, command, context).map(Some) };
    match calls.look(tag, index) {
        Standing::Applied(outcome) => Ok(Some(outcome)),
        Standing::Forgotten => Ok(None),
        Standing::Fresh => {
            let outcome = commands::apply(tables, command, context)?;
            calls.remember(tag, &outcome);
            Ok(Some(outcome))
        }
    }
}

/// Whether an entry can change the cluster map.
pub(super) fn touches_map(entry: &Entry) -> bool {
    let proposal: &Proposal = match &entry.payload {
        EntryPayload::Normal(proposal) => proposal,
        EntryPayload::Blank | EntryPayload::Membership(_) => return false,
    };
    match &proposal.change {
        Change::Bootstrap(_) => true,
        Change::Batch(batch, _) => batch.iter().any(commands::changes_map),
        Change::Enroll(_) | Change::EndRestoreHold | Change::BeginHistory(_) | Change::NoteAbsences(_) => false,
    }
}
