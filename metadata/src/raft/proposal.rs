//! What the log carries: the leader's proposals, and their outcomes.

use cairn_core::id::HistoryId;
use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::{Outcome, Rejection};
use cairn_protocol::rpc::CallTag;
use minicbor::{Decode, Encode};

use crate::state::commands::Bootstrap;
use crate::state::stored::StoredCommand;
use crate::state::tables::absences::Absences;
use crate::state::tables::members::Enroll;

/// One proposal of the leader: a batch of commands that share one log entry, one sync and one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Proposal {
    /// The leader's clock, in milliseconds since the Unix epoch: the only way for time to enter the state (I20).
    #[n(0)]
    pub(crate) proposed_at_ms: u64,
    #[n(1)]
    pub(crate) change: Change,
}

impl Proposal {
    /// The feature level that it puts in force, if it does.
    pub(crate) fn level(&self) -> Option<FeatureLevel> {
        match &self.change {
            Change::Bootstrap(first) => Some(first.level),
            Change::Batch(commands, _) => commands.iter().filter_map(StoredCommand::level).max(),
            Change::Enroll(_) | Change::EndRestoreHold | Change::BeginHistory(_) | Change::NoteAbsences(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum Change {
    #[n(0)]
    Bootstrap(#[n(0)] Bootstrap),
    /// Commands, each with an outcome of its own, and the tags of those that have one, in the same order.
    #[n(1)]
    Batch(#[n(0)] Vec<StoredCommand>, #[n(1)] Option<Vec<Option<CallTag>>>),
    /// Changes the membership record.
    #[n(2)]
    Enroll(#[n(0)] Enroll),
    /// Allows a restored service to delete again.
    #[n(3)]
    EndRestoreHold,
    /// A leader begins its term: from here on this id is in force.
    #[n(4)]
    BeginHistory(#[n(0)] HistoryId),
    /// For how long disks have been away.
    #[n(5)]
    NoteAbsences(#[n(0)] Absences),
}

/// The outcomes of an entry, one per command.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// `None` for a repeated command whose outcome is no longer remembered: it was not applied now, and may have been
    /// before.
    pub(crate) outcomes: Vec<Option<Result<Outcome, Rejection>>>,
}
