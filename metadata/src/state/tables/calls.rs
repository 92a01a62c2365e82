//! Calls whose outcome clients may still ask for: one row per client, written whenever the state is synced.

use cairn_protocol::metadata::{Outcome, Rejection};
use minicbor::{Decode, Encode};
use redb::TableDefinition;

use super::Row;

/// Client → row.
pub(crate) const DEFINITION: TableDefinition<'static, Key, Value> = TableDefinition::new("calls");
pub(crate) type Key = [u8; 16];
pub(crate) type Value = &'static [u8];

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct ClientRow {
    /// The client waits for no call below this number.
    #[n(0)]
    pub(crate) settled: u64,
    /// The log entry that last contained a call of this client.
    #[n(1)]
    pub(crate) used: u64,
    /// Calls that were applied, with their results.
    #[n(2)]
    pub(crate) applied: Vec<(u64, OutcomeRow)>,
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) enum OutcomeRow {
    #[n(0)]
    Done(#[n(0)] Outcome),
    #[n(1)]
    Rejected(#[n(0)] Rejection),
}

impl Row for ClientRow {
    const TABLE: &'static str = "calls";
}

impl From<Result<Outcome, Rejection>> for OutcomeRow {
    fn from(result: Result<Outcome, Rejection>) -> Self {
        match result {
            Ok(outcome) => Self::Done(outcome),
            Err(rejection) => Self::Rejected(rejection),
        }
    }
}

impl From<OutcomeRow> for Result<Outcome, Rejection> {
    fn from(row: OutcomeRow) -> Self {
        match row {
            OutcomeRow::Done(outcome) => Ok(outcome),
            OutcomeRow::Rejected(rejection) => Err(rejection),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::id::SessionId;

    #[test]
    fn a_row_reads_back_and_stays_as_it_is() {
        let applied = vec![
            (3, OutcomeRow::Done(Outcome::SessionOpened(SessionId(7)))),
            (4, OutcomeRow::Rejected(Rejection::NoSuchKey)),
        ];
        let row = ClientRow { settled: 3, used: 9, applied };
        assert_eq!(ClientRow::read(&row.to_bytes()).unwrap(), row);
        let golden = b"\x83\x03\x09\x82\x82\x03\x82\x00\x81\x82\x06\x81\x07\x82\x04\x82\x01\x81\x82\x03\x80";
        assert_eq!(row.to_bytes(), golden);
    }
}
