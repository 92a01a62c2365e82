//! openraft's own conformance suite, on the real store (I3).

use std::sync::Arc;

use cairn_core::testing::TestThreads;
use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

use super::log_store::LogStore;
use super::machine::Machine;
use super::types::{StorageError, TypeConfig};
use crate::space::testing::roomy;
use crate::testing::TestClock;

struct Stores;

impl StoreBuilder<TypeConfig, LogStore, Arc<Machine>, TempDir> for Stores {
    async fn build(&self) -> Result<(TempDir, LogStore, Arc<Machine>), StorageError> {
        let dir = TempDir::new().unwrap();
        let log = LogStore::open(&dir.path().join("log.redb"), true, &TestThreads, &roomy()).unwrap();
        let machine = Machine::open(&dir.path().join("state.redb"), true, 1 << 20, TestClock::new(), &roomy()).unwrap();
        Ok((dir, log, Arc::new(machine)))
    }
}

#[test]
fn the_store_keeps_the_openraft_contract() {
    Suite::test_all(Stores).unwrap();
}
