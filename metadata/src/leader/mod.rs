//! The leader: how it proposes, when it may answer a read, and what it remembers of its term.

mod client_watch;
mod error;
mod members;
mod memory;
mod proposer;
mod read_gate;
mod repair_status;
mod witness;

use std::sync::Arc;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::cluster_map::ClusterMap;
use cairn_core::id::{CommitSequence, HistoryId};
use cairn_core::random::RandomSource;
use cairn_core::release::FeatureLevel;
use cairn_protocol::metadata::query::RestoreHold;
use cairn_protocol::metadata::{Command, Outcome, Query, Rejection};
use cairn_protocol::rpc::CallTag;
use cairn_protocol::storage::DeleteProof;
use tokio::sync::{Notify, Semaphore};

pub(crate) use error::LeaderError;
pub(crate) use members::Members;
pub(crate) use memory::{Heard, Memory};
pub(crate) use repair_status::{RepairStatus, RepairStatusCell, Seen};

use crate::error::StoreError;
use crate::raft::Raft;
use crate::raft::candidacy::Voice;
use crate::raft::log_store::LogEnd;
use crate::raft::machine::Machine;
use crate::raft::proposal::Change;
use crate::space::Room;
use crate::state::commands;
use crate::state::tables::{View, meta};
use client_watch::ClientWatch;
use memory::LeaderMemory;
use proposer::Proposer;
use read_gate::ReadGate;

/// Reads of the state at one time; beyond that they wait. Raft needs the threads of the same pool to apply what it commits.
const READS_MAX: usize = 64;

/// The parts of a [`Leader`].
pub(crate) struct LeaderParts {
    pub(crate) raft: Raft,
    pub(crate) machine: Arc<Machine>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) voice: Arc<Voice>,
    /// Where the log ended when the process started.
    pub(crate) at_start: LogEnd,
}

/// This member as the leader. Where another member leads, whatever only a leader may do is refused.
pub(crate) struct Leader {
    raft: Raft,
    machine: Arc<Machine>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn RandomSource>,
    proposer: Proposer,
    gate: ReadGate,
    members: Members,
    memory: LeaderMemory,
    clients: ClientWatch,
    repair: RepairStatusCell,
    history: HistoryBegun,
    reads: Arc<Semaphore>,
    voice: Arc<Voice>,
    /// The lead is being handed over: commands are refused, because they would keep the others from electing.
    handing_over: AtomicBool,
    /// Wakes the background jobs before their time.
    wake: Arc<Notify>,
}

/// The term whose history has begun.
#[derive(Default)]
struct HistoryBegun {
    term: AtomicU64,
    one_at_a_time: tokio::sync::Mutex<()>,
}

impl Leader {
    /// Starts the tasks that propose commands and confirm the lead; they end with the last leader.
    pub(crate) fn spawn(parts: LeaderParts) -> Self {
        let LeaderParts { raft, machine, clock, random, voice, at_start } = parts;
        Self {
            proposer: Proposer::spawn(raft.clone(), Arc::clone(&clock)),
            gate: ReadGate::spawn(raft.clone(), Arc::clone(&machine), at_start),
            members: Members::new(raft.clone(), Arc::clone(&clock)),
            memory: LeaderMemory::default(),
            clients: ClientWatch::default(),
            repair: RepairStatusCell::default(),
            history: HistoryBegun::default(),
            reads: Arc::new(Semaphore::new(READS_MAX)),
            handing_over: AtomicBool::new(false),
            wake: Arc::new(Notify::new()),
            raft,
            machine,
            clock,
            random,
            voice,
        }
    }

    /// Whether this member leads and has applied all that was committed before.
    pub(crate) fn leads(&self) -> bool {
        self.gate.leads()
    }

    /// Whether the jobs of the leader are done here. Those of one that no majority answers rest, because they would conclude from a
    /// silence that is its own.
    pub(crate) fn works(&self) -> bool {
        self.leads() && !self.voice.is_silent()
    }

    /// Gives everybody a fresh lease: nobody could be heard until now.
    pub(crate) fn begin_anew(&self) {
        self.memory.begin_anew(self.clock.monotonic());
    }

    /// Whether this member leads and is the only one that votes.
    pub(crate) fn is_sole(&self) -> bool {
        self.gate.is_sole()
    }

    /// The term of this member's lead, or whichever term it follows.
    pub(crate) fn term(&self) -> u64 {
        self.gate.term()
    }

    /// Returns once a view taken from now on is linearizable (I19).
    pub(crate) async fn confirm_lead(&self) -> Result<(), LeaderError> {
        self.check_hand_over()?;
        self.gate.pass().await
    }

    /// Runs a command of the leader's own.
    pub(crate) async fn execute(&self, command: Command) -> Result<Outcome, LeaderError> {
        self.execute_tagged(command, None).await
    }

    /// Runs a command: once, however often it comes with the same tag.
    pub(crate) async fn execute_tagged(&self, command: Command, tag: Option<CallTag>) -> Result<Outcome, LeaderError> {
        self.check_hand_over()?;
        self.check_level(&command, tag.as_ref())?;
        self.check_room(&command, tag.as_ref())?;
        self.clients.saw_command(&command, self.now());
        let registers = if let Command::RegisterNode(c) = &command { Some(c.node) } else { None };
        let outcome = self.proposer.propose(command, tag).await?;
        let now = self.now();
        if let Outcome::SessionOpened(session) = &outcome {
            self.memory().renewed.insert(*session, now);
        }
        if let Some(node) = registers {
            self.memory().heard.insert(node, Heard { at: now, status: None });
        }
        Ok(outcome)
    }

    /// Proposes a change that is no command of a client.
    pub(crate) async fn change(&self, change: Change) -> Result<(), LeaderError> {
        proposer::change(&self.raft, self.clock.as_ref(), change).await
    }

    /// The state as of now. Its tables lie on a disk: they are opened only where that may take long.
    pub(crate) fn view(&self) -> Result<View, StoreError> {
        self.machine.view()
    }

    /// Reads the state as of now. It lies on a disk, which may be slow: this happens on a thread of its own, because Raft's
    /// heartbeats and everything else wait for the threads that run tasks.
    pub(crate) async fn read<T, E>(
        &self,
        look: impl FnOnce(&View) -> Result<T, E> + Send + 'static,
    ) -> Result<T, LeaderError>
    where
        T: Send + 'static,
        E: Into<LeaderError> + Send + 'static,
    {
        let machine = Arc::clone(&self.machine);
        let turn = Arc::clone(&self.reads).acquire_owned().await.map_err(|_| LeaderError::Stopping)?;
        let looked = tokio::task::spawn_blocking(move || {
            let read = look(&machine.view()?).map_err(Into::into);
            drop(turn);
            read
        });
        looked.await?
    }

    /// Reads the state, and returns what was read with the proof for it (I13).
    ///
    /// The proof is never newer than the view: a storage node carries an order out unless something that is newer than the
    /// proof contradicts it, as the grant of a rebuild does.
    pub(crate) async fn prove<T, E>(
        &self,
        look: impl FnOnce(&View) -> Result<T, E> + Send + 'static,
    ) -> Result<(T, DeleteProof), LeaderError>
    where
        T: Send + 'static,
        E: Into<LeaderError> + Send + 'static,
    {
        let proof = DeleteProof::Committed(self.commit());
        Ok((self.read(look).await?, proof))
    }

    /// The cluster map; `None` before the cluster is formed.
    pub(crate) fn map(&self) -> Option<Arc<ClusterMap>> {
        self.machine.map()
    }

    /// The newest commit.
    pub(crate) fn commit(&self) -> CommitSequence {
        self.machine.commit()
    }

    /// Syncs the state if the last time was long enough ago.
    pub(crate) async fn sync_if_due(&self) -> Result<(), LeaderError> {
        let machine = Arc::clone(&self.machine);
        Ok(tokio::task::spawn_blocking(move || machine.sync_if_due()).await??)
    }

    /// Looks how much room there is, and keeps the reserve.
    pub(crate) async fn keep_room(&self) -> Result<(), LeaderError> {
        let space = Arc::clone(self.machine.space());
        Ok(tokio::task::spawn_blocking(move || space.keep()).await?)
    }

    /// The monotonic clock.
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// The wall clock, in milliseconds since the Unix epoch.
    pub(crate) fn wall_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// What was heard in the current term.
    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.of(self.gate.term(), self.clock.monotonic())
    }

    /// The members of the service.
    pub(crate) fn members(&self) -> &Members {
        &self.members
    }

    /// How repair stands.
    pub(crate) fn repair(&self) -> &RepairStatusCell {
        &self.repair
    }

    /// A client has asked.
    pub(crate) fn saw_query(&self, query: &Query) {
        self.clients.saw_query(query, self.now());
    }

    /// Whether a client has read or written objects a moment ago.
    pub(crate) fn are_clients_at_work(&self) -> bool {
        self.clients.are_at_work(self.now())
    }

    /// Runs the background jobs now.
    pub(crate) fn wake_jobs(&self) {
        self.wake.notify_one();
    }

    /// Notified when the background jobs should run before their time.
    pub(crate) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Ensures that the history of this term has begun: before that, this state cannot be told from an older copy.
    pub(crate) async fn begin_history(&self) -> Result<(), LeaderError> {
        let (begun, term) = (&self.history.term, self.term());
        if begun.load(Ordering::Acquire) == term {
            return Ok(());
        }
        let _one_at_a_time = self.history.one_at_a_time.lock().await;
        if begun.load(Ordering::Acquire) != term {
            self.change(Change::BeginHistory(HistoryId::from_random(self.random.bytes16()))).await?;
            begun.store(term, Ordering::Release);
        }
        Ok(())
    }

    /// Whether the service was restored and deletions are held.
    pub(crate) async fn is_held_back(&self) -> Result<bool, LeaderError> {
        let hold = self.read(|view| meta::get::<RestoreHold>(&view.meta()?, meta::RESTORED)).await?;
        Ok(hold.is_some_and(|hold| hold.released_below.is_none()))
    }

    /// Refuses commands and reads from now on, until [`Leader::end_hand_over`]. Refused while that is so already.
    pub(crate) fn begin_hand_over(&self) -> Result<(), LeaderError> {
        if self.handing_over.swap(true, Ordering::AcqRel) { Err(LeaderError::HandingOver) } else { Ok(()) }
    }

    /// Takes commands and reads again.
    pub(crate) fn end_hand_over(&self) {
        self.handing_over.store(false, Ordering::Release);
    }

    /// Refuses what the cluster does not use yet. Nobody is told so of a command that may have been taken before.
    fn check_level(&self, command: &Command, tag: Option<&CallTag>) -> Result<(), LeaderError> {
        if !self.leads() || tag.is_some_and(|tag| tag.repeated) {
            return Ok(());
        }
        let (since, level) = (command.since(), self.map().map_or(FeatureLevel::FIRST, |map| map.level));
        if since > level { Err(Rejection::NotYet(since).into()) } else { Ok(()) }
    }

    /// Refuses what there is no room for. Nobody is told so of a command that may have been taken before.
    fn check_room(&self, command: &Command, tag: Option<&CallTag>) -> Result<(), LeaderError> {
        if !self.leads() || tag.is_some_and(|tag| tag.repeated) {
            return Ok(());
        }
        let least = if commands::grows_state(command) { Room::Enough } else { Room::Short };
        self.machine.space().demand(least).map_err(|no_room| Rejection::NoRoom(no_room.to_string()).into())
    }

    fn check_hand_over(&self) -> Result<(), LeaderError> {
        if self.handing_over.load(Ordering::Acquire) { Err(LeaderError::HandingOver) } else { Ok(()) }
    }
}
