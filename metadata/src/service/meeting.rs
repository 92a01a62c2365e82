//! The rounds in which a member asks the others what they know about it, and what follows: see [`crate::raft::admission`].

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_protocol::rpc::RpcClient;
use futures_util::future::join_all;
use openraft::BasicNode;
use openraft::error::{InitializeError, RaftError};
use tokio::sync::watch;

use super::Inner;
use crate::raft::admission::{Holding, Verdict, contradiction, decide};
use crate::raft::message::{Hello, HelloAnswer, RaftPath, Stopped};
use crate::state::tables::members;
use cairn_core::id::MemberId;

/// Time for one answer.
pub(super) const HELLO_LIMIT: Duration = Duration::from_millis(500);
/// Pause between two rounds: before the member is admitted, and after.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
const WATCH_PAUSE: Duration = Duration::from_secs(2);
/// Rounds in which a member that was admitted before waits for itself to answer at its own address.
const SELF_ROUNDS_MAX: u32 = 20;
/// Rounds between two lines in the log that say the same.
const ROUNDS_PER_LINE: u32 = 50;

/// Asks one member.
pub(super) async fn hello(rpc: &RpcClient, addr: &str, question: &Hello) -> Result<HelloAnswer, String> {
    let answer = rpc.call::<Hello, HelloAnswer, Stopped>(addr, RaftPath::HELLO, question, HELLO_LIMIT).await;
    match answer {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(stopped)) => Err(stopped.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

impl Inner {
    /// What this member says of itself, and of the asker.
    pub(super) fn answer_hello(&self, question: &Hello) -> Result<HelloAnswer, Stopped> {
        let stopped = |e: &dyn std::fmt::Display| Stopped { detail: e.to_string() };
        let roll = self.machine.view().and_then(|view| members::roll(&view.meta()?)).map_err(|e| stopped(&e))?;
        self.admission.meet(question.member, question.incarnation);
        let me = &self.admission.me;
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow();
        let acknowledged = metrics.replication.as_ref().and_then(|all| all.get(&question.member).copied().flatten());
        Ok(HelloAnswer {
            member: me.member,
            incarnation: me.incarnation,
            boot: me.boot,
            cluster: self.machine.map().map(|map| map.cluster),
            is_blank: self.log.is_pristine(),
            enrolled: roll.of(question.member),
            acknowledged: acknowledged.map(|id| id.index),
            life: roll.life,
        })
    }

    /// The members in force, with their addresses.
    pub(super) fn membership(&self) -> BTreeMap<MemberId, String> {
        let metrics = self.raft.server_metrics();
        let metrics = metrics.borrow();
        metrics.membership_config.membership().nodes().map(|(id, node)| (*id, node.addr.clone())).collect()
    }

    async fn ask_all(&self, founders: &[(MemberId, String)]) -> Vec<HelloAnswer> {
        let mut addresses: BTreeMap<MemberId, String> = founders.iter().cloned().collect();
        addresses.extend(self.membership());
        let me = &self.admission.me;
        let question = Hello { member: me.member, incarnation: me.incarnation };
        let asked = addresses.values().filter(|addr| !addr.is_empty()).map(|addr| hello(&self.rpc, addr, &question));
        let answers: Vec<HelloAnswer> = join_all(asked).await.into_iter().flatten().collect();
        for answer in &answers {
            self.admission.meet(answer.member, answer.incarnation);
        }
        answers
    }

    fn holding(&self) -> Holding {
        let cluster = self.machine.map().map(|map| map.cluster);
        let roll = self.machine.view().and_then(|view| members::roll(&view.meta()?)).unwrap_or_default();
        Holding { cluster, is_blank: self.log.is_pristine(), last_log: self.log.end().index, life: roll.life() }
    }
}

/// Gives a new cluster its first membership; all its members are given the same.
pub(super) async fn initialize(inner: &Inner, founders: &[(MemberId, String)]) -> Result<(), String> {
    let members: BTreeMap<_, _> = founders.iter().map(|(id, addr)| (*id, BasicNode::new(addr))).collect();
    match inner.raft.initialize(members).await {
        // Another member was faster: it has sent this one the same membership.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Asks until the member is admitted, and watches then whether it still may be.
pub(super) async fn run(weak: Weak<Inner>, founders: Vec<(MemberId, String)>, mut stop: watch::Receiver<bool>) {
    let mut round = 0;
    let mut admitted = false;
    loop {
        let Some(inner) = weak.upgrade() else { return };
        tokio::select! {
            () = meet(&inner, &founders, round, &mut admitted) => {}
            _ = stop.changed() => return,
        }
        drop(inner);
        round += 1;
        tokio::select! {
            () = tokio::time::sleep(if admitted { WATCH_PAUSE } else { ROUND_PAUSE }) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn meet(inner: &Arc<Inner>, founders: &[(MemberId, String)], round: u32, admitted: &mut bool) {
    let answers = inner.ask_all(founders).await;
    // Read after the answers: a member has what it acknowledged before them.
    let holding = inner.holding();
    let me = &inner.admission.me;
    if *admitted {
        if let Some(refusal) = contradiction(me, holding, &answers) {
            *admitted = false;
            shut(inner, &refusal, 0);
        }
        return;
    }
    let hears_itself = answers.iter().any(|answer| answer.member == me.member);
    match decide(me, holding, &answers) {
        Verdict::Admit { form: false } if !holding.is_blank && !hears_itself && round < SELF_ROUNDS_MAX => {}
        Verdict::Admit { form } => {
            if !holding.is_blank && !hears_itself {
                tracing::warn!("this metadata member does not reach itself at its own address: check rpc_advertise");
            }
            inner.admission.open();
            inner.raft.runtime_config().elect(true);
            let formed = if form { initialize(inner, founders).await } else { Ok(()) };
            match formed {
                Ok(()) => *admitted = true,
                Err(error) => shut(inner, &error, round),
            }
        }
        Verdict::Wait(reason) | Verdict::Refuse(reason) => shut(inner, &reason, round),
    }
}

fn shut(inner: &Inner, reason: &str, round: u32) {
    inner.raft.runtime_config().elect(false);
    if inner.admission.close(reason) || round.is_multiple_of(ROUNDS_PER_LINE) {
        tracing::error!("metadata member {} takes no part: {reason}", inner.admission.me.member);
    }
}
