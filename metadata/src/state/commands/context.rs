//! The place of a command in the order of all commands, and what a command may know beside the state.

use cairn_core::id::CommitSequence;

/// Maximum number of commands in one log entry: their index must fit the low bits of a [`CommitSequence`].
pub(crate) const COMMANDS_PER_ENTRY_MAX: usize = 1024;
/// Low bits of a commit sequence that number the commands of one log entry.
const SEQUENCE_ITEM_BITS: u32 = 16;

/// What a command may know besides the state. Order comes from the log, time from the leader's proposal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    pub(crate) sequence: CommitSequence,
    /// When the leader proposed it, in milliseconds since the Unix epoch.
    pub(crate) now_ms: u64,
}

/// The sequence of the `item`-th command of log entry `index`: `index << 16 | item`. It is unique and grows along the
/// log; 48 bits of log index last 8,900 years at 1,000 entries a second.
pub(crate) fn sequence(index: u64, item: usize) -> CommitSequence {
    CommitSequence((index << SEQUENCE_ITEM_BITS) | item as u64)
}

pub(crate) fn index_of(sequence: CommitSequence) -> u64 {
    sequence.0 >> SEQUENCE_ITEM_BITS
}
