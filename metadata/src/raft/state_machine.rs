//! The state as openraft drives it. Work on the file happens on a blocking thread.

use std::sync::Arc;

use openraft::storage::{RaftSnapshotBuilder, RaftStateMachine};
use openraft::{AnyError, ErrorSubject, ErrorVerb, Snapshot, StorageIOError};

use super::machine::Machine;
use super::proposal::Applied;
use super::snapshot::{LoadedState, SnapshotData};
use super::snapshot_builder;
use super::types::{Entry, LogId, SnapshotMeta, StorageError, StoredMembership, TypeConfig};
use crate::error::StoreError;

/// Runs `work` on the machine, off the async threads.
async fn on_machine<T: Send + 'static>(
    machine: &Arc<Machine>,
    verb: ErrorVerb,
    work: impl FnOnce(&Machine) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StorageError> {
    let machine = Arc::clone(machine);
    let failed = |error: &dyn std::fmt::Display| {
        tracing::error!(%error, "the metadata state failed");
        StorageError::from(StorageIOError::new(ErrorSubject::StateMachine, verb, AnyError::error(error.to_string())))
    };
    match tokio::task::spawn_blocking(move || work(&machine)).await {
        Ok(result) => result.map_err(|e| failed(&e)),
        Err(panicked) => Err(failed(&panicked)),
    }
}

impl RaftSnapshotBuilder<TypeConfig> for Arc<Machine> {
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError> {
        on_machine(self, ErrorVerb::Write, snapshot_builder::take).await
    }
}

impl RaftStateMachine<TypeConfig> for Arc<Machine> {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        on_machine(self, ErrorVerb::Read, |machine| Ok((machine.applied(), machine.membership()?))).await
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Applied>, StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        on_machine(self, ErrorVerb::Write, move |machine| machine.apply(&entries)).await
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        Arc::clone(self)
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<SnapshotData>, StorageError> {
        Ok(Box::new(SnapshotData::Empty))
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, data: Box<SnapshotData>) -> Result<(), StorageError> {
        let expected = meta.last_log_id;
        on_machine(self, ErrorVerb::Write, move |machine| {
            let state = match *data {
                SnapshotData::Empty => {
                    return Err(StoreError::Damaged { table: "snapshot", detail: "it holds nothing".to_owned() });
                }
                SnapshotData::Live(live) => {
                    LoadedState::copy(live.view, machine.incoming_file(), machine.cache_bytes(), machine.space())?
                }
                SnapshotData::Loaded(state) => state,
            };
            machine.install(state, expected)
        })
        .await
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError> {
        if self.applied().is_none() {
            return Ok(None);
        }
        on_machine(self, ErrorVerb::Write, snapshot_builder::take).await.map(Some)
    }
}
