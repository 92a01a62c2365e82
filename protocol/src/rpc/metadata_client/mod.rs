//! The metadata service over HTTP.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use cairn_core::random::RandomSource;
use cairn_core::sync::IgnorePoison;
use minicbor::{Decode, Encode};
use tokio::sync::watch;

use super::client::RpcClient;
use super::metadata_call::{Calls, OpenCall};
use super::metadata_message::{Execute, MetadataFailure, MetadataPath};
use crate::metadata::{
    Answer, Command, Metadata, MetadataError, OperatedMetadata, OperatorRequest, Outcome, Query, Signal, SignalAnswer,
};

/// Time for one attempt at one member, after which another is tried. A command waits longer, because repetitions only
/// make a busy leader busier.
const QUERY_LIMIT: Duration = Duration::from_secs(3);
const COMMAND_LIMIT: Duration = Duration::from_secs(6);
/// Time for a call with all its attempts, enough for several elections.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// Pause between two rounds over all members.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
/// Known members: at most five, those that replaced them, and some to spare.
const MEMBERS_MAX: usize = 16;

/// Finds the leader among the members and calls it. A command takes effect once, however often it has to be sent.
pub struct HttpMetadata {
    rpc: RpcClient,
    members: Mutex<Vec<String>>,
    /// Members that did not answer when they were asked last. They are asked after the others: one that hangs must not delay
    /// every call that has to find the leader, heartbeats of storage nodes among them.
    silent: Mutex<BTreeSet<String>>,
    /// The member that answered last.
    leader: watch::Sender<Option<String>>,
    calls: Calls,
}

/// The result of calling one member.
enum Attempt<A> {
    Done(Result<A, MetadataError>),
    /// It did nothing. The leader if it knows one, and what it reported.
    Elsewhere(Option<String>, String),
    /// It may have done something.
    Lost(String),
}

/// The state of a search for the leader.
struct Search {
    said: String,
    /// Whether the call may have taken effect: from before an attempt begins until its answer says no. The search may be
    /// dropped in between.
    unknown: bool,
}

impl HttpMetadata {
    /// The service whose members listen on `members` (`host:port`).
    pub fn new(rpc: RpcClient, members: Vec<String>, random: &dyn RandomSource) -> Self {
        let (members, silent) = (Mutex::new(members), Mutex::default());
        Self { rpc, members, silent, leader: watch::Sender::new(None), calls: Calls::new(random) }
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
        self.leader.send_replace(Some(leader));
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
        let mut search = Search { said: "no member is configured".to_owned(), unknown: repeated };
        let message = |repeated| Execute { command: command.clone(), call: Some(call.tag(repeated)) };
        let found = self.search(MetadataPath::EXECUTE, COMMAND_LIMIT, message, &mut search);
        match tokio::time::timeout(CALL_LIMIT, found).await {
            Ok(result) => result,
            Err(_) if search.unknown => Err(MetadataError::Unknown(search.said)),
            Err(_) => Err(MetadataError::Unavailable(search.said)),
        }
    }

    /// A call that changes nothing and so may be repeated.
    async fn ask<M, A>(&self, path: &str, message: &M) -> Result<A, MetadataError>
    where
        M: Encode<()> + Sync + Clone,
        A: for<'b> Decode<'b, ()> + Send,
    {
        let mut search = Search { said: "no member is configured".to_owned(), unknown: false };
        let found = self.search(path, QUERY_LIMIT, |_| message.clone(), &mut search);
        match tokio::time::timeout(CALL_LIMIT, found).await {
            Ok(result) => result,
            Err(_) => Err(MetadataError::Unavailable(search.said)),
        }
    }

    /// Asks members until one leads.
    async fn search<M, A>(
        &self,
        path: &str,
        limit: Duration,
        message: impl Fn(bool) -> M,
        search: &mut Search,
    ) -> Result<A, MetadataError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()> + Send,
    {
        loop {
            // The known leader first, then every member. One hint per round is followed.
            let known = self.leader.borrow().clone();
            let mut candidates: Vec<String> = known.into_iter().chain(self.candidates()).collect();
            candidates.reverse();
            let mut hinted = false;
            while let Some(member) = candidates.pop() {
                let repeated = std::mem::replace(&mut search.unknown, true);
                match self.attempt(&member, path, &message(repeated), limit).await {
                    Attempt::Done(result) => {
                        self.leader.send_if_modified(|leader| {
                            let changed = leader.as_ref() != Some(&member);
                            *leader = Some(member);
                            changed
                        });
                        return result;
                    }
                    Attempt::Elsewhere(hint, detail) => {
                        (search.said, search.unknown) = (detail, repeated);
                        self.forget_leader(&member);
                        if let Some(hint) = hint.filter(|hint| !hinted && !hint.is_empty() && *hint != member) {
                            hinted = true;
                            candidates.push(hint);
                        }
                    }
                    Attempt::Lost(detail) => {
                        search.said = detail;
                        self.forget_leader(&member);
                    }
                }
            }
            tokio::time::sleep(ROUND_PAUSE).await;
        }
    }

    /// Records that `member` does not lead. If another call has found a different leader, that one stays.
    fn forget_leader(&self, member: &str) {
        self.leader.send_if_modified(|leader| {
            let known = leader.as_deref() == Some(member);
            if known {
                *leader = None;
            }
            known
        });
    }

    async fn attempt<M, A>(&self, member: &str, path: &str, message: &M, limit: Duration) -> Attempt<A>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        let mut leader = self.leader.subscribe();
        let other = leader.borrow_and_update().clone().filter(|leader| leader != member);
        if other.is_some() {
            return Attempt::Elsewhere(other, format!("{member} no longer leads"));
        }
        let replaced = leader.wait_for(|leader| leader.as_deref().is_some_and(|leader| leader != member));
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
            Err(error) if error.is_definite_no() => Attempt::Elsewhere(None, error.to_string()),
            Err(error) => Attempt::Lost(error.to_string()),
        }
    }
}

#[async_trait]
impl OperatedMetadata for HttpMetadata {
    async fn operate(&self, request: OperatorRequest) -> Result<(), MetadataError> {
        self.ask::<_, SignalAnswer>(MetadataPath::SIGNAL, &request).await.map(drop)
    }
}

#[async_trait]
impl Metadata for HttpMetadata {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        let call = self.begin().await;
        self.execute_call(&call, command, false).await
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.ask(MetadataPath::QUERY, &query).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        let answer: SignalAnswer = self.ask(MetadataPath::SIGNAL, &signal).await?;
        if let Some(members) = &answer.members {
            self.learn_members(members);
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests;
