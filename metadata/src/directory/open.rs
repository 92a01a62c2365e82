//! An open directory: the identity, and a log and a state that match it and each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::id::ClusterId;
use cairn_core::release::Release;
use cairn_core::threads::Threads;
use openraft::EntryPayload;

use super::error::StartError;
use super::identity::{Identity, check_identity, create_identity, read_identity, write_identity};
use super::unborn::remove_unborn;
use crate::error::StoreError;
use crate::integrity;
use crate::options::Options;
use crate::raft::Entry;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;
use crate::space::Space;
use cairn_core::id::Incarnation;

const ENTRIES_PER_STEP: u64 = 256;

pub(crate) struct Directory {
    path: PathBuf,
    identity: Identity,
    pub(crate) log: LogStore,
    pub(crate) machine: Arc<Machine>,
}

impl Directory {
    /// Opens the directory, or creates it if it is empty and may be. `drawn` becomes the incarnation of a directory
    /// that has none yet.
    pub(crate) fn open(
        options: &Options,
        clock: Arc<dyn Clock>,
        threads: &dyn Threads,
        drawn: Incarnation,
    ) -> Result<Self, StartError> {
        let path = options.dir.clone();
        let unreadable = |path: &Path, e: &dyn std::fmt::Display| StartError::Unreadable {
            path: path.to_owned(),
            detail: e.to_string(),
        };
        std::fs::create_dir_all(&path).map_err(|e| unreadable(&path, &e))?;
        let (log_path, state_path) = (path.join("log.redb"), path.join("state.redb"));
        let identity = match read_identity(&path)? {
            Some(identity) => identity,
            None => create_identity(options, &[&log_path, &state_path], drawn)?,
        };
        check_identity(options, &identity)?;
        // Files may be missing only while the cluster is not formed.
        let create = identity.cluster.is_none();
        for file in [&log_path, &state_path] {
            if !create && !file.exists() {
                let missing = format!("{} is missing", file.display());
                return Err(StartError::Incomplete { dir: path, found: "a member's identity", missing });
            }
        }
        if create {
            for file in [&log_path, &state_path] {
                remove_unborn(file).map_err(|e| unreadable(file, &e))?;
            }
        }
        if !create && options.verify_at_start {
            let began = clock.monotonic();
            for file in [&log_path, &state_path] {
                integrity::verify(file, options.cache_bytes)
                    .map_err(|detail| StartError::Damaged { path: file.clone(), detail })?;
            }
            let took = clock.monotonic().saturating_sub(began);
            tracing::info!(?took, "every page of the metadata's files matches its checksum");
        }
        let space = Space::of(&path, options.reserve_bytes);
        space.make_way();
        let log = LogStore::open(&log_path, create, threads, &space).map_err(|e| unreadable(&log_path, &e))?;
        let of_state = |e: StoreError| match e {
            StoreError::OtherLevel { .. }
            | StoreError::OtherGroup { .. }
            | StoreError::Newer { .. }
            | StoreError::Older { .. } => StartError::Unfit { path: state_path.clone(), detail: e.to_string() },
            other => unreadable(&state_path, &other),
        };
        let machine = Machine::open(&state_path, create, options.cache_bytes, clock, &space).map_err(of_state)?;
        machine.complete_install(log.purged()).map_err(of_state)?;
        let mut directory = Self { path, identity, log, machine: Arc::new(machine) };
        directory.check_files_fit()?;
        directory.check_levels(&log_path)?;
        if directory.identity.incarnation.is_none() {
            let named = Identity { incarnation: Some(drawn), ..directory.identity.clone() };
            directory.replace_identity(named).map_err(|e| unreadable(&directory.path.join("identity"), &e))?;
        }
        Ok(directory)
    }

    pub(crate) fn incarnation(&self) -> Incarnation {
        self.identity.incarnation.unwrap_or(Incarnation::from_bytes([0; 16]))
    }

    fn replace_identity(&mut self, identity: Identity) -> Result<(), StoreError> {
        write_identity(&self.path, &identity)?;
        self.identity = identity;
        Ok(())
    }

    /// Log and state must belong together.
    fn check_files_fit(&self) -> Result<(), StartError> {
        let incomplete =
            |found, missing: String| Err(StartError::Incomplete { dir: self.path.clone(), found, missing });
        let applied = self.machine.applied();
        if applied.is_some() && self.log.is_pristine() {
            return incomplete("the state", "the log is empty".to_owned());
        }
        if let Some(purged) = self.log.purged()
            && applied < Some(purged)
        {
            let missing = format!("the state ends before entry {}, up to which the log was purged", purged.index);
            return incomplete("the log", missing);
        }
        if let (Some(formed), Some(map)) = (self.identity.cluster, self.machine.map())
            && map.cluster != formed
        {
            let (theirs, ours) = (format!("cluster {}", map.cluster), format!("cluster {formed}"));
            return Err(StartError::Foreign { dir: self.path.join("state.redb"), theirs, ours });
        }
        Ok(())
    }

    /// What the log has beyond the state must not raise the level to one that this release does not support.
    fn check_levels(&self, log_path: &Path) -> Result<(), StartError> {
        let unreadable = |e: StoreError| StartError::Unreadable { path: log_path.to_owned(), detail: e.to_string() };
        self.each_beyond_state(|entries| {
            let proposals = entries.iter().filter_map(|entry| match &entry.payload {
                EntryPayload::Normal(proposal) => proposal.level(),
                EntryPayload::Blank | EntryPayload::Membership(_) => None,
            });
            match proposals.max().and_then(|level| Release::current().refusal(level)) {
                Some(refusal) => Err(StoreError::OtherLevel { what: "the log", refusal }),
                None => Ok(()),
            }
        })
        .map_err(|e| match e {
            StoreError::OtherLevel { .. } => StartError::Unfit { path: log_path.to_owned(), detail: e.to_string() },
            other => unreadable(other),
        })
    }

    /// Applies all entries that the log has beyond the state, whether committed or not.
    pub(crate) fn apply_rest(&self) -> Result<(), StoreError> {
        self.each_beyond_state(|entries| self.machine.apply(entries).map(drop))
    }

    /// Shows the entries that the log has beyond the state, some at a time.
    fn each_beyond_state(&self, mut take: impl FnMut(&[Entry]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let last = self.log.end().index;
        let mut next = self.machine.applied().map_or(0, |id| id.index + 1);
        while next <= last {
            let entries = self.log.entries(next, (next + ENTRIES_PER_STEP).min(last + 1))?;
            let Some(reached) = entries.last().map(|entry| entry.log_id.index) else { break };
            take(&entries)?;
            next = reached + 1;
        }
        Ok(())
    }

    /// Records that the cluster is formed: from now on the files must exist.
    pub(crate) fn set_formed(&mut self, cluster: ClusterId) -> Result<(), StoreError> {
        if self.identity.cluster.is_some() {
            return Ok(());
        }
        self.replace_identity(Identity { cluster: Some(cluster), ..self.identity.clone() })
    }
}
