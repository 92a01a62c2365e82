//! Gives a repeated command its effect only once, by remembering the outcomes that clients may still ask for.
//!
//! The outcomes are part of the replicated state, but they change with every command and matter for milliseconds.
//! They are kept in memory and written with each sync of the state, in the same transaction. A crash loses them from
//! memory, and replaying the log restores them together with the commands. So a command needs no row of its own.

use std::collections::{BTreeMap, BTreeSet};

use cairn_protocol::metadata::{Outcome, Rejection};
use cairn_protocol::rpc::{CallTag, ClientId};

use crate::error::StoreError;
use crate::state::tables::calls::{ClientRow, OutcomeRow};
use crate::state::tables::{Row, Tables, View};

/// Maximum number of remembered clients, that is, processes: the most recently used ones.
const CLIENTS_MAX: usize = 4096;

type Concluded = Result<Outcome, Rejection>;

/// What is known of a call before it is applied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Fresh,
    Applied(Concluded),
    /// It is no longer known whether the call was applied, so it must not be applied now.
    Forgotten,
}

#[derive(Debug, Default)]
pub(crate) struct AppliedCalls {
    clients: BTreeMap<ClientId, Window>,
    /// Clients whose rows must be written or removed with the next sync.
    changed: BTreeSet<ClientId>,
    /// Calls remembered since the last [`AppliedCalls::keep`].
    tentative: Vec<(ClientId, u64)>,
}

#[derive(Debug, Default)]
struct Window {
    settled: u64,
    used: u64,
    applied: BTreeMap<u64, Concluded>,
}

impl AppliedCalls {
    /// As of the last sync.
    pub(crate) fn read(view: &View) -> Result<Self, StoreError> {
        let mut clients = BTreeMap::new();
        for row in redb::ReadableTable::iter(&view.calls()?)? {
            let (client, row) = row?;
            let ClientRow { settled, used, applied } = ClientRow::read(row.value())?;
            let applied = applied.into_iter().map(|(number, outcome)| (number, outcome.into())).collect();
            clients.insert(ClientId::from_bytes(client.value()), Window { settled, used, applied });
        }
        Ok(Self { clients, ..Self::default() })
    }

    /// Writes what has changed since the last sync.
    pub(crate) fn write(&mut self, tables: &mut Tables<'_>) -> Result<(), StoreError> {
        for client in std::mem::take(&mut self.changed) {
            match self.clients.get(&client) {
                Some(window) => {
                    let applied = window.applied.iter().map(|(n, outcome)| (*n, OutcomeRow::from(outcome.clone())));
                    let row = ClientRow { settled: window.settled, used: window.used, applied: applied.collect() };
                    tables.calls.insert(client.to_bytes(), row.to_bytes().as_slice())?;
                }
                None => {
                    tables.calls.remove(client.to_bytes())?;
                }
            }
        }
        Ok(())
    }

    /// Looks up a call, and forgets the calls that its client has settled.
    pub(crate) fn look(&mut self, tag: &CallTag, index: u64) -> Standing {
        if !self.clients.contains_key(&tag.client) {
            // It may be one of the clients that were dropped.
            if tag.repeated && self.clients.len() >= CLIENTS_MAX {
                return Standing::Forgotten;
            }
            self.make_room();
        }
        self.changed.insert(tag.client);
        let window = self.clients.entry(tag.client).or_default();
        window.used = index;
        if tag.settled > window.settled {
            window.settled = tag.settled;
            window.applied = window.applied.split_off(&tag.settled);
        }
        match window.applied.get(&tag.number) {
            Some(outcome) => Standing::Applied(outcome.clone()),
            // A late duplicate: its client has an answer already, or has given up and treats the outcome as unknown.
            None if tag.number < window.settled => Standing::Forgotten,
            None => Standing::Fresh,
        }
    }

    /// Remembers the outcome of a call that was [`Standing::Fresh`].
    pub(crate) fn remember(&mut self, tag: &CallTag, outcome: &Concluded) {
        if let Some(window) = self.clients.get_mut(&tag.client) {
            window.applied.insert(tag.number, outcome.clone());
            self.tentative.push((tag.client, tag.number));
        }
    }

    /// The transaction was committed.
    pub(crate) fn keep(&mut self) {
        self.tentative.clear();
    }

    /// The transaction failed, so nothing in it was applied. Calls forgotten in it stay forgotten, because the same
    /// entries forget them again.
    pub(crate) fn undo(&mut self) {
        for (client, number) in self.tentative.drain(..) {
            if let Some(window) = self.clients.get_mut(&client) {
                window.applied.remove(&number);
            }
        }
    }

    /// At the limit, drops the client that has been silent longest.
    fn make_room(&mut self) {
        if self.clients.len() < CLIENTS_MAX {
            return;
        }
        let oldest = self.clients.iter().min_by_key(|(client, window)| (window.used, **client)).map(|(c, _)| *c);
        if let Some(oldest) = oldest {
            self.clients.remove(&oldest);
            self.changed.insert(oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    fn tag(client: u8, number: u64, settled: u64, repeated: bool) -> CallTag {
        CallTag { client: ClientId::from_bytes([client; 16]), number, settled, repeated }
    }

    fn apply(calls: &mut AppliedCalls, tag: &CallTag) -> bool {
        let fresh = calls.look(tag, 1) == Standing::Fresh;
        if fresh {
            calls.remember(tag, &Err(Rejection::NoSuchKey));
        }
        fresh
    }

    #[test]
    fn a_call_is_applied_once_in_any_order_of_its_repetitions() {
        let mut calls = AppliedCalls::default();
        assert!(apply(&mut calls, &tag(1, 2, 1, true)), "the first attempt may never have arrived");
        assert!(apply(&mut calls, &tag(1, 1, 1, false)), "it was overtaken");
        for repeated in [false, true] {
            let known = calls.look(&tag(1, 2, 1, repeated), 2);
            assert_eq!(known, Standing::Applied(Err(Rejection::NoSuchKey)));
        }
        assert!(apply(&mut calls, &tag(2, 1, 1, false)), "another client's numbers are its own");
    }

    #[test]
    fn settled_calls_are_forgotten_and_never_applied_again() {
        let mut calls = AppliedCalls::default();
        for number in 1..=100 {
            assert!(apply(&mut calls, &tag(1, number, 1.max(number.saturating_sub(3)), false)));
        }
        assert_eq!(calls.clients[&ClientId::from_bytes([1; 16])].applied.len(), 4);
        assert_eq!(calls.look(&tag(1, 50, 1, false), 9), Standing::Forgotten);
        assert_eq!(calls.look(&tag(1, 99, 1, true), 9), Standing::Applied(Err(Rejection::NoSuchKey)));
    }

    #[test]
    fn a_failed_transaction_applies_nothing() {
        let mut calls = AppliedCalls::default();
        assert!(apply(&mut calls, &tag(1, 1, 1, false)));
        calls.keep();
        assert!(apply(&mut calls, &tag(1, 2, 1, false)));
        calls.undo();
        assert!(!apply(&mut calls, &tag(1, 1, 1, true)) && apply(&mut calls, &tag(1, 2, 1, true)));
    }

    #[test]
    fn the_most_recently_used_clients_are_remembered() {
        let mut calls = AppliedCalls::default();
        let client = |n: u64| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            CallTag { client: ClientId::from_bytes(bytes), number: 1, settled: 1, repeated: true }
        };
        for n in 0..CLIENTS_MAX as u64 {
            assert_eq!(calls.look(&client(n), n), Standing::Fresh);
        }
        calls.look(&client(0), 1 << 20);
        assert_eq!(calls.look(&CallTag { repeated: false, ..client(1 << 30) }, 1 << 21), Standing::Fresh);
        assert_eq!(calls.clients.len(), CLIENTS_MAX);
        assert_eq!(calls.look(&client(1), 1 << 22), Standing::Forgotten, "it may have been applied before");
        assert_eq!(calls.look(&client(0), 1 << 22), Standing::Fresh, "it was used lately");
    }

    #[test]
    fn written_calls_read_back() {
        let state = State::new();
        let mut calls = AppliedCalls::default();
        for number in 1..=3 {
            apply(&mut calls, &tag(1, number, number, false));
        }
        state.write(|tables| calls.write(tables).unwrap());
        let read = AppliedCalls::read(&View::new(&state.database).unwrap()).unwrap();
        assert_eq!(format!("{:?}", read.clients), format!("{:?}", calls.clients));
    }
}
