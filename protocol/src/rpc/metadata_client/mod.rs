//! The metadata service over HTTP.

mod route;

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::random::RandomSource;
use cairn_core::sync::IgnorePoison;
use minicbor::{Decode, Encode};
use tokio::sync::watch;

use super::client::{RpcClient, RpcError};
use super::metadata_call::{Calls, OpenCall};
use super::metadata_message::{Execute, GroupPath, MetadataFailure, MetadataPath};
use crate::metadata::{
    Answer, Command, Metadata, MetadataError, OperatedMetadata, OperatorRequest, Outcome, Query, Signal, SignalAnswer,
};
use route::Route;

/// Time for one attempt at one member, after which another is tried. A command waits longer, because repetitions only
/// make a busy leader busier.
const QUERY_LIMIT: Duration = Duration::from_secs(3);
const COMMAND_LIMIT: Duration = Duration::from_secs(6);
/// Time for a call with all its attempts, enough for several elections.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// Pause between two rounds over all members.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// Hints that are followed in a round: to a leader that then does not answer, and through a member that follows it.
const HINTS_MAX: u32 = 2;
/// Known members: at most five, those that replaced them, and some to spare.
const MEMBERS_MAX: usize = 16;

/// Finds the leader among the members and calls it. A command takes effect once, however often it has to be sent.
pub struct HttpMetadata {
    rpc: RpcClient,
    members: Mutex<Vec<String>>,
    /// Members that did not answer when they were asked last. They are asked after the others: one that hangs must not delay
    /// every call that has to find the leader, heartbeats of storage nodes among them.
    silent: Mutex<BTreeSet<String>>,
    /// The way on which the last answer came.
    route: watch::Sender<Option<Route>>,
    calls: Calls,
}

/// The result of calling one member.
enum Attempt<A> {
    Done(Result<A, MetadataError>),
    /// It did nothing. The leader if it knows one, and what it reported.
    Elsewhere(Option<String>, String),
    /// Nothing was sent: another call has found this way.
    Rerouted(Route),
    /// Nothing reached it.
    Unreached(String),
    /// It may have done something, and says so, or is no longer waited for.
    Lost(String),
    /// It may have done something: its answer did not come.
    Silent(String),
}

/// The state of a search for the leader.
struct Search {
    said: String,
    /// Whether the call may have taken effect: from before an attempt begins until its answer says no. The search may be
    /// dropped in between.
    unknown: bool,
    /// Members that did not answer this search. Calls to a leader among them are passed on by a member that follows it.
    unreached: BTreeSet<String>,
    /// Whether it looks for a direct way although calls are passed on at present.
    probes: bool,
}

impl Search {
    fn new(unknown: bool) -> Self {
        Self { said: "no member is configured".to_owned(), unknown, unreached: BTreeSet::new(), probes: false }
    }
}

impl HttpMetadata {
    /// The service whose members listen on `members` (`host:port`).
    pub fn new(rpc: RpcClient, members: Vec<String>, random: &dyn RandomSource) -> Self {
        let (members, silent) = (Mutex::new(members), Mutex::default());
        Self { rpc, members, silent, route: watch::Sender::new(None), calls: Calls::new(random) }
    }

    /// The members in the order in which they are asked.
    fn candidates(&self) -> Vec<String> {
        let mut members = self.members().clone();
        let silent = self.silent.lock().ignore_poison();
        members.sort_by_key(|member| silent.contains(member));
        members
    }

    /// Records whether a member answered.
    fn note(&self, member: &str, answered: bool) {
        let known = self.members().clone();
        let mut silent = self.silent.lock().ignore_poison();
        silent.retain(|silent| known.contains(silent) && silent != member);
        if !answered && known.iter().any(|known| known == member) {
            silent.insert(member.to_owned());
        }
    }

    fn members(&self) -> MutexGuard<'_, Vec<String>> {
        self.members.lock().ignore_poison()
    }

    /// Puts `members` before those already known, which are kept because the new list may be outdated.
    pub fn learn_members(&self, members: &[String]) {
        let mut known = self.members();
        if members.iter().zip(known.iter()).filter(|(new, old)| new == old).count() == members.len() {
            return;
        }
        let mut next: Vec<String> = members.iter().filter(|addr| !addr.is_empty()).cloned().collect();
        next.extend(known.drain(..).filter(|addr| !members.contains(addr)));
        next.truncate(MEMBERS_MAX);
        *known = next;
    }

    /// Makes `leader` the member to ask first.
    pub fn expect_leader(&self, leader: String) {
        self.route.send_replace(Some(Route::direct(leader)));
    }

    /// The ways to try, the most promising last: the one on which the last answer came, then to every member.
    fn ways(&self, search: &mut Search) -> Vec<Route> {
        let mut known = None;
        self.route.send_if_modified(|route| {
            search.probes |= route.as_mut().is_some_and(|route| route.expires(self.rpc.now()));
            known = route.clone().filter(|_| !search.probes);
            false
        });
        let mut ways: Vec<Route> = known.into_iter().chain(self.candidates().into_iter().map(Route::direct)).collect();
        ways.reverse();
        ways
    }

    /// Begins a command: see [`HttpMetadata::execute_call`].
    pub async fn begin(&self) -> OpenCall<'_> {
        self.calls.begin().await
    }

    /// Sends a command that was begun. `repeated`: whether it may have taken effect already.
    pub async fn execute_call(
        &self,
        call: &OpenCall<'_>,
        command: Command,
        repeated: bool,
    ) -> Result<Outcome, MetadataError> {
        let mut search = Search::new(repeated);
        let message = |repeated| Execute { command: command.clone(), call: Some(call.tag(repeated)) };
        let found = self.search(&MetadataPath::EXECUTE, COMMAND_LIMIT, message, &mut search);
        match tokio::time::timeout(CALL_LIMIT, found).await {
            Ok(result) => result,
            Err(_) if search.unknown => Err(MetadataError::Unknown(search.said)),
            Err(_) => Err(MetadataError::Unavailable(search.said)),
        }
    }

    /// Asks for what an operator wants. `repeated`: whether it may have been done already.
    pub async fn operate_again(&self, request: OperatorRequest, repeated: bool) -> Result<(), MetadataError> {
        match self.ask::<_, SignalAnswer>(&MetadataPath::SIGNAL, &request, true).await {
            Err(MetadataError::Unavailable(said)) if repeated => Err(MetadataError::Unknown(said)),
            told => told.map(drop),
        }
    }

    /// A call that may be repeated. `changes`: whether it is not known what came of it if the last attempt was not answered.
    async fn ask<M, A>(&self, path: &GroupPath, message: &M, changes: bool) -> Result<A, MetadataError>
    where
        M: Encode<()> + Sync + Clone,
        A: for<'b> Decode<'b, ()> + Send,
    {
        let mut search = Search::new(false);
        let found = self.search(path, QUERY_LIMIT, |_| message.clone(), &mut search);
        match tokio::time::timeout(CALL_LIMIT, found).await {
            Ok(result) => result,
            Err(_) if changes && search.unknown => Err(MetadataError::Unknown(search.said)),
            Err(_) => Err(MetadataError::Unavailable(search.said)),
        }
    }

    /// Asks members until one leads.
    async fn search<M, A>(
        &self,
        path: &GroupPath,
        limit: Duration,
        message: impl Fn(bool) -> M,
        search: &mut Search,
    ) -> Result<A, MetadataError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()> + Send,
    {
        loop {
            let mut ways = self.ways(search);
            // A hint may be wrong: only some are followed in a round.
            let mut hints = HINTS_MAX;
            while let Some(way) = ways.pop() {
                let repeated = std::mem::replace(&mut search.unknown, true);
                let next = match self.attempt(&way, path, &message(repeated), limit, search.probes).await {
                    Attempt::Done(result) => {
                        self.found(way);
                        return result;
                    }
                    Attempt::Rerouted(route) => {
                        search.unknown = repeated;
                        Some(route)
                    }
                    Attempt::Elsewhere(hint, detail) => {
                        (search.said, search.unknown) = (detail, repeated);
                        self.forget(&way);
                        hint.and_then(|leader| self.follow(&way, leader, search))
                    }
                    Attempt::Unreached(detail) => {
                        (search.said, search.unknown) = (detail, repeated);
                        search.unreached.insert(way.member.clone());
                        self.forget(&way);
                        None
                    }
                    Attempt::Silent(detail) => {
                        search.said = detail;
                        search.unreached.insert(way.member.clone());
                        self.forget(&way);
                        None
                    }
                    Attempt::Lost(detail) => {
                        search.said = detail;
                        self.forget(&way);
                        None
                    }
                };
                if let Some(next) = next.filter(|_| hints > 0) {
                    hints -= 1;
                    ways.push(next);
                }
            }
            tokio::time::sleep(ROUND_PAUSE).await;
        }
    }

    /// The next way after a member has said who leads: to the leader, or through the member if the leader does not answer.
    fn follow(&self, way: &Route, leader: String, search: &Search) -> Option<Route> {
        if leader.is_empty() || leader == way.member {
            None
        } else if search.unreached.contains(&leader) {
            (!way.is_relayed()).then(|| Route::through(way.member.clone(), self.rpc.now()))
        } else {
            Some(Route::direct(leader))
        }
    }

    /// Records the way on which an answer came.
    fn found(&self, way: Route) {
        self.route.send_if_modified(|route| {
            let known = route
                .as_ref()
                .is_some_and(|known| known.member == way.member && known.is_relayed() == way.is_relayed());
            if !known {
                *route = Some(way);
            }
            !known
        });
    }

    /// Records that a way does not lead to the leader. If another call has found a different one, that one stays.
    fn forget(&self, way: &Route) {
        self.route.send_if_modified(|route| {
            let known = route.as_ref() == Some(way);
            if known {
                *route = None;
            }
            known
        });
    }

    /// Calls one member. Unless it `probes`, it gives way to what another call has found meanwhile.
    async fn attempt<M, A>(
        &self,
        way: &Route,
        path: &GroupPath,
        message: &M,
        limit: Duration,
        probes: bool,
    ) -> Attempt<A>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let member = way.member.as_str();
        let leads_elsewhere =
            |route: &Option<Route>| !probes && route.as_ref().is_some_and(|route| route.member != member);
        let mut route = self.route.subscribe();
        let other = route.borrow_and_update().clone();
        if leads_elsewhere(&other)
            && let Some(other) = other
        {
            return Attempt::Rerouted(other);
        }
        let replaced = route.wait_for(leads_elsewhere);
        let path = if way.is_relayed() { path.relay } else { path.direct };
        let answer = tokio::select! {
            biased;
            answer = self.rpc.call(member, path, message, limit) => answer,
            // Another call has found the new leader, so there is no need to wait until the old one times out.
            _ = replaced => return Attempt::Lost(format!("{member} no longer leads")),
        };
        self.note(member, answer.is_ok());
        match answer {
            Ok(Ok(answer)) => Attempt::Done(Ok(answer)),
            Ok(Err(MetadataFailure::NotLeader(hint))) => Attempt::Elsewhere(hint, format!("{member} does not lead")),
            Ok(Err(MetadataFailure::Unavailable(detail))) => Attempt::Elsewhere(None, format!("{member}: {detail}")),
            Ok(Err(MetadataFailure::Unknown(detail))) => Attempt::Lost(format!("{member}: {detail}")),
            // The member's own store failed; the others continue without it.
            Ok(Err(MetadataFailure::Store(detail))) if self.members().len() > 1 => {
                Attempt::Elsewhere(None, format!("{member}: {detail}"))
            }
            Ok(Err(failure)) => Attempt::Done(Err(failure.into())),
            Err(error @ RpcError::NotConnected { .. }) => Attempt::Unreached(error.to_string()),
            Err(error) if error.is_definite_no() => Attempt::Elsewhere(None, error.to_string()),
            Err(error) => Attempt::Silent(error.to_string()),
        }
    }
}

#[async_trait]
impl OperatedMetadata for HttpMetadata {
    async fn operate(&self, request: OperatorRequest) -> Result<(), MetadataError> {
        self.operate_again(request, false).await
    }
}

#[async_trait]
impl Metadata for HttpMetadata {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        let call = self.begin().await;
        self.execute_call(&call, command, false).await
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.ask(&MetadataPath::QUERY, &query, false).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        let answer: SignalAnswer = self.ask(&MetadataPath::SIGNAL, &signal, false).await?;
        if let Some(members) = &answer.members {
            self.learn_members(members);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
