//! The service as the rest of the process uses it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::clock::Clock;
use cairn_core::cluster_map::{Disk, DiskEvent, step};
use cairn_core::id::{CommitSequence, Epoch, HistoryId};
use cairn_core::random::RandomSource;
use cairn_protocol::metadata::query::{ClusterStatus, OffProfilePage, RebalanceStatus, RestoreHold};
use cairn_protocol::metadata::{Answer, Command, Metadata, MetadataError, Outcome, Query, Signal, SignalAnswer};
use cairn_protocol::rpc::{CallTag, HttpMetadata, MetadataFailure, RpcClient};
use cairn_protocol::storage::DiskStatus;
use redb::ReadableTableMetadata;
use tokio::sync::{Notify, watch};

use crate::error::{Refused, StoreError};
use crate::jobs::repair::{forecast, shares};
use crate::leader::client_watch::ClientWatch;
use crate::leader::memory::{Heard, LeaderMemory};
use crate::leader::proposer::{self, Proposer};
use crate::leader::read_gate::ReadGate;
use crate::leader::repair_status::StatusCell;
use crate::raft::Raft;
use crate::raft::admission::Admission;
use crate::raft::log_store::LogStore;
use crate::raft::machine::Machine;
use crate::raft::proposal::Change;
use crate::state::queries;
use crate::state::tables::history::History;
use crate::state::tables::{View, meta, rebalance, sessions, usage};

/// Time for the files to close on shutdown, in steps.
const CLOSE_STEPS_MAX: u32 = 200;
const CLOSE_STEP: Duration = Duration::from_millis(10);

/// A running member. Cheap to clone; every clone is the same member.
#[derive(Clone)]
pub struct Handle {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) raft: Raft,
    pub(crate) machine: Arc<Machine>,
    pub(crate) proposer: Proposer,
    pub(crate) gate: ReadGate,
    pub(crate) memory: LeaderMemory,
    pub(crate) clients: ClientWatch,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rpc: RpcClient,
    pub(crate) admission: Arc<Admission>,
    pub(crate) log: LogStore,
    /// The service as a caller in this process reaches it where another member leads.
    pub(crate) remote: HttpMetadata,
    /// The lead is being handed over: nothing is taken that would keep the others from electing.
    pub(crate) handing_over: AtomicBool,
    pub(crate) random: Arc<dyn RandomSource>,
    /// The term whose history has begun.
    pub(crate) history_term: AtomicU64,
    pub(crate) beginning: tokio::sync::Mutex<()>,
    /// Wakes the background jobs before their time.
    pub(crate) wake: Arc<Notify>,
    pub(crate) stop: watch::Sender<bool>,
    /// How repair stands.
    pub(crate) repair: StatusCell,
    /// Tells whether the log's file is still open.
    pub(crate) log_open: Weak<()>,
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(MetadataFailure::Store(error.to_string()))
    }
}

impl From<MetadataFailure> for Failure {
    fn from(failure: MetadataFailure) -> Self {
        Self(failure)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Rejected(rejection) => Self(MetadataFailure::Rejected(rejection)),
            Refused::Store(error) => error.into(),
        }
    }
}

/// [`MetadataFailure`], with conversions from what can go wrong in here.
pub(crate) struct Failure(pub(crate) MetadataFailure);

impl Inner {
    /// Runs a command of the leader's own, if this member leads.
    pub(crate) async fn execute(&self, command: Command) -> Result<Outcome, MetadataFailure> {
        self.execute_tagged(command, None).await
    }

    /// Runs a command, if this member leads; once, however often it comes with the same tag.
    pub(crate) async fn execute_tagged(
        &self,
        command: Command,
        tag: Option<CallTag>,
    ) -> Result<Outcome, MetadataFailure> {
        self.check_hand_over()?;
        self.clients.saw_command(&command, self.clock.monotonic());
        let registers = if let Command::RegisterNode(c) = &command { Some(c.node) } else { None };
        let outcome = self.proposer.propose(command, tag).await?;
        let now = self.clock.monotonic();
        if let Outcome::SessionOpened(session) = &outcome {
            self.memory.of(self.gate.term(), now).renewed.insert(*session, now);
        }
        if let Some(node) = registers {
            let mut memory = self.memory.of(self.gate.term(), now);
            memory.heard.insert(node, Heard { at: now, status: None });
        }
        Ok(outcome)
    }

    /// Answers a query, if this member leads.
    pub(crate) async fn query(self: &Arc<Self>, query: Query) -> Result<Answer, MetadataFailure> {
        self.check_hand_over()?;
        self.gate.pass().await?;
        self.clients.saw_query(&query, self.clock.monotonic());
        if matches!(query, Query::GetMembers(_)) {
            return self.member_table().await.map(Answer::Members);
        }
        if queries::is_small(&query) {
            return self.answer(query).map_err(|failure| failure.0);
        }
        let inner = Arc::clone(self);
        match tokio::task::spawn_blocking(move || inner.answer(query)).await {
            Ok(result) => result.map_err(|failure| failure.0),
            Err(panicked) => Err(MetadataFailure::Store(panicked.to_string())),
        }
    }

    fn answer(&self, query: Query) -> Result<Answer, Failure> {
        if let Query::GetClusterMap(q) = &query {
            let map = self.machine.map().filter(|map| map.epoch > q.known);
            return Ok(Answer::ClusterMap(map.map(|map| map.as_ref().clone())));
        }
        if let Query::GetRepairStatus(_) = &query {
            return Ok(Answer::RepairStatus(self.repair.answer()));
        }
        if let Query::GetVerification(query) = &query {
            return Ok(Answer::Verification(self.repair.verification(query.start)));
        }
        let view = self.machine.view()?;
        if let Query::GetRebalance(query) = &query {
            return Ok(Answer::Rebalance(self.rebalance_status(&view, query.survey)?));
        }
        match queries::answer(&view, query)? {
            Some(Answer::OffProfile(page)) => {
                Ok(Answer::OffProfile(OffProfilePage { is_waiting: self.repair.is_busy(), ..page }))
            }
            Some(answer) => Ok(answer),
            None => Ok(Answer::ClusterStatus(self.cluster_status(&view)?)),
        }
    }

    fn rebalance_status(&self, view: &View, survey: bool) -> Result<RebalanceStatus, StoreError> {
        let record = rebalance::get(&view.meta()?)?;
        let mut status = RebalanceStatus { record, ..self.repair.rebalance() };
        status.is_waiting |= status.record.as_ref().is_some_and(|record| record.reencodes) && self.repair.is_busy();
        if let Some(map) = self.machine.map().filter(|_| survey) {
            let (balance, forecast) = forecast(view, &map)?;
            (status.disks, status.forecast) = (shares(&balance), Some(forecast));
        }
        Ok(status)
    }

    fn cluster_status(&self, view: &View) -> Result<ClusterStatus, StoreError> {
        let now = self.clock.monotonic();
        let memory = self.memory.of(self.gate.term(), now);
        let silence = |heard: &Heard| now.saturating_sub(heard.at).as_millis() as u64;
        let mut nodes: Vec<_> =
            memory.heard.values().filter_map(|heard| Some((heard.status.clone()?, silence(heard)))).collect();
        drop(memory);
        nodes.sort_by_key(|(status, _)| status.node);
        let total = usage::get(&view.usage()?, usage::TOTAL)?;
        Ok(ClusterStatus {
            buckets: view.buckets()?.len()?,
            objects: total.objects,
            object_bytes: total.bytes,
            uploads: total.uploads,
            reclaim_entries: view.reclaim()?.len()?,
            repair_entries: view.repair()?.len()?,
            sessions: view.sessions()?.len()?,
            commit: self.machine.commit(),
            nodes,
        })
    }

    /// Hears a signal, if this member leads.
    pub(crate) async fn signal(self: &Arc<Self>, signal: Signal) -> Result<SignalAnswer, MetadataFailure> {
        self.check_hand_over()?;
        self.gate.pass().await?;
        self.begin_history().await?;
        match &signal {
            Signal::AddMember(new) => self.add_member(new.member, new.addr.clone()).await?,
            Signal::RemoveMember(member) => self.remove_member(*member).await?,
            Signal::TransferLead(member) => self.transfer_lead(*member).await?,
            Signal::EndRestoreHold => {
                proposer::change(&self.raft, self.clock.as_ref(), Change::EndRestoreHold).await?;
            }
            Signal::RenewSession(_) | Signal::Heartbeat(_) => {}
        }
        self.hear(signal).map_err(|failure| failure.0)
    }

    /// Makes sure that the history of this lead has begun: before that, nobody can tell this state from another one.
    pub(crate) async fn begin_history(&self) -> Result<(), MetadataFailure> {
        let term = self.gate.term();
        if self.history_term.load(Ordering::Acquire) == term {
            return Ok(());
        }
        let _one_at_a_time = self.beginning.lock().await;
        if self.history_term.load(Ordering::Acquire) != term {
            let id = HistoryId::from_random(self.random.bytes16());
            proposer::change(&self.raft, self.clock.as_ref(), Change::BeginHistory(id)).await?;
            self.history_term.store(term, Ordering::Release);
        }
        Ok(())
    }

    /// Whether the service was restored and deletes nothing for the time being.
    pub(crate) fn is_held_back(&self) -> Result<bool, MetadataFailure> {
        let read = || meta::get::<RestoreHold>(&self.machine.view()?.meta()?, meta::RESTORED);
        read().map(|hold| hold.is_some_and(|hold| hold.released_below.is_none())).map_err(|e| Failure::from(e).0)
    }

    fn check_hand_over(&self) -> Result<(), MetadataFailure> {
        if self.handing_over.load(Ordering::Acquire) {
            return Err(MetadataFailure::Unavailable("the lead is being handed over".to_owned()));
        }
        Ok(())
    }

    fn hear(&self, signal: Signal) -> Result<SignalAnswer, Failure> {
        let now = self.clock.monotonic();
        let term = self.gate.term();
        let map = self.machine.map();
        let mut session_valid = false;
        let history: History = meta::get(&self.machine.view()?.meta()?, meta::HISTORY)?.unwrap_or_default();
        let mut history_then = None;
        match signal {
            Signal::RenewSession(session) => {
                session_valid = sessions::is_open(&self.machine.view()?.sessions()?, session)?;
                if session_valid {
                    self.memory.of(term, now).renewed.insert(session, now);
                }
            }
            Signal::Heartbeat(status) => {
                history_then = status.commit.and_then(|commit| history.at(commit));
                if status.history.is_some() && history_then.is_some() && history_then != status.history {
                    tracing::error!(
                        node = %status.node,
                        "a storage node has seen a history that this metadata service does not have: the service was put \
                         back from an old copy. Nothing is deleted there; put the newest copy back, or run `cairn metadata \
                         recover`"
                    );
                }
                let differs = map.as_ref().is_some_and(|map| {
                    let news =
                        |known: &Disk, seen| step(known, DiskEvent::Seen(seen)).is_ok_and(|(_, s)| s != known.state);
                    let known = |seen: &DiskStatus| map.disk_by_id(seen.disk).is_some_and(|d| news(d, seen.state));
                    status.disks.iter().any(known)
                });
                self.memory.of(term, now).heard.insert(status.node, Heard { at: now, status: Some(status) });
                if differs {
                    self.wake.notify_one();
                }
            }
            Signal::AddMember(_) | Signal::RemoveMember(_) | Signal::TransferLead(_) | Signal::EndRestoreHold => {}
        }
        let map_epoch = map.map_or(Epoch(0), |map| map.epoch);
        let members = Some(self.membership().into_values().collect());
        let (commit, history) = (self.machine.commit(), history.current());
        Ok(SignalAnswer { map_epoch, commit, session_valid, members, history, history_then })
    }

    /// The way to the member that leads, for a caller in this process, where this one could not do what it was asked.
    fn elsewhere(&self, failure: MetadataFailure) -> Result<&HttpMetadata, MetadataError> {
        let members: Vec<String> = self.membership().into_values().collect();
        match failure {
            MetadataFailure::NotLeader(Some(leader)) if !leader.is_empty() => self.remote.expect_leader(leader),
            MetadataFailure::NotLeader(_) | MetadataFailure::Unavailable(_) | MetadataFailure::Unknown(_)
                if members.len() > 1 => {}
            other => return Err(other.into()),
        }
        self.remote.learn_members(&members);
        Ok(&self.remote)
    }
}

impl Handle {
    /// The newest commit that this member has applied.
    pub fn commit(&self) -> CommitSequence {
        self.inner.machine.commit()
    }

    /// Present while a restored service is compared with the disks and deletes nothing.
    pub fn restore_hold(&self) -> Result<Option<RestoreHold>, StoreError> {
        meta::get(&self.inner.machine.view()?.meta()?, meta::RESTORED)
    }

    /// Whether this member leads and answers queries.
    pub fn leads(&self) -> bool {
        self.inner.gate.leads()
    }

    /// Why the member takes no part in the service, if it may not: what to do about it is said.
    pub fn refusal(&self) -> Option<String> {
        self.inner.admission.check().err().map(|stopped| stopped.detail)
    }

    /// Why the member takes no commands any more, if its store has failed: the process has to be restarted once the cause
    /// is removed.
    pub fn failure(&self) -> Option<String> {
        self.inner.raft.metrics().borrow().running_state.as_ref().err().map(ToString::to_string)
    }

    /// Ends the member: no command is taken any more, the state is synced, and the files are closed once no other handle
    /// and no router uses them (for which this waits two seconds). Calls that are under way may end with `Unavailable`
    /// or `Unknown`.
    pub async fn shutdown(self) {
        self.inner.stop.send_replace(true);
        if let Err(error) = self.inner.raft.shutdown().await {
            tracing::warn!(%error, "the metadata service did not stop in order");
        }
        let machine = Arc::clone(&self.inner.machine);
        let synced = tokio::task::spawn_blocking(move || machine.sync().map(drop).map_err(|e| e.to_string())).await;
        if let Err(error) = synced.unwrap_or_else(|panicked| Err(panicked.to_string())) {
            tracing::warn!(%error, "the metadata state was not synced; it is applied again at the next start");
        }
        let open = [self.inner.log_open.clone(), self.inner.machine.open_token()];
        drop(self);
        for _ in 0..CLOSE_STEPS_MAX {
            if open.iter().all(|token| token.strong_count() == 0) {
                return;
            }
            tokio::time::sleep(CLOSE_STEP).await;
        }
    }
}

#[async_trait]
impl Metadata for Handle {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        if self.inner.gate.is_sole() {
            return self.inner.execute(command).await.map_err(Into::into);
        }
        let call = self.inner.remote.begin().await;
        match self.inner.execute_tagged(command.clone(), Some(call.tag(false))).await {
            Ok(outcome) => Ok(outcome),
            Err(failure) => {
                let repeated = matches!(failure, MetadataFailure::Unknown(_));
                self.inner.elsewhere(failure)?.execute_call(&call, command, repeated).await
            }
        }
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        match self.inner.query(query.clone()).await {
            Ok(answer) => Ok(answer),
            Err(failure) => self.inner.elsewhere(failure)?.query(query).await,
        }
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        match self.inner.signal(signal.clone()).await {
            Ok(answer) => Ok(answer),
            Err(failure) => self.inner.elsewhere(failure)?.signal(signal).await,
        }
    }
}
