//! Rounds in which a member asks the others what they know about it: see [`crate::raft::admission`].

use std::collections::BTreeMap;
use std::sync::Weak;
use std::time::Duration;

use futures_util::future::join_all;
use openraft::BasicNode;
use openraft::error::{InitializeError, RaftError};
use tokio::sync::watch;

use super::hello::hello;
use super::member::RunningMember;
use crate::raft::admission::{Holding, Verdict, contradiction, decide};
use crate::raft::message::HelloAnswer;
use crate::state::tables::members;
use cairn_core::id::MemberId;

/// Pause between two rounds: before the member is admitted, and after.
const ROUND_PAUSE: Duration = Duration::from_millis(100);
const WATCH_PAUSE: Duration = Duration::from_secs(2);
/// Rounds in which a member that was admitted before waits for itself to answer at its own address.
const SELF_ROUNDS_MAX: u32 = 20;
/// Rounds between two lines in the log that say the same.
const ROUNDS_PER_LINE: u32 = 50;

impl RunningMember {
    async fn ask_all(&self, founders: &[(MemberId, String)]) -> Vec<HelloAnswer> {
        let mut addresses: BTreeMap<MemberId, String> = founders.iter().cloned().collect();
        addresses.extend(self.leader.members().addresses());
        let question = self.greeting();
        let asked = addresses.values().filter(|addr| !addr.is_empty()).map(|addr| hello(&self.rpc, addr, &question));
        let answers: Vec<HelloAnswer> = join_all(asked).await.into_iter().flatten().collect();
        for answer in &answers {
            self.admission.meet(answer.member, answer.incarnation, answer.release.newest);
        }
        answers
    }

    async fn holding(&self) -> Holding {
        let cluster = self.machine.map().map(|map| map.cluster);
        let record = self.leader.read(|view| members::record(&view.meta()?)).await.unwrap_or_default();
        Holding {
            cluster,
            is_blank: self.log.is_pristine(),
            last_log: self.log.end().index,
            recoveries: record.recoveries(),
        }
    }
}

/// Gives a new cluster its first membership; all its members are given the same.
pub(super) async fn initialize(local: &RunningMember, founders: &[(MemberId, String)]) -> Result<(), String> {
    let members: BTreeMap<_, _> = founders.iter().map(|(id, addr)| (*id, BasicNode::new(addr))).collect();
    match local.raft.initialize(members).await {
        // Another member was faster: it has sent this one the same membership.
        Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

/// Asks until the member is admitted, and watches then whether it still may be.
pub(super) async fn run(weak: Weak<RunningMember>, founders: Vec<(MemberId, String)>, mut stop: watch::Receiver<bool>) {
    let mut round = 0;
    let mut admitted = false;
    loop {
        let Some(local) = weak.upgrade() else { return };
        tokio::select! {
            () = meet(&local, &founders, round, &mut admitted) => {}
            _ = stop.changed() => return,
        }
        drop(local);
        round += 1;
        tokio::select! {
            () = tokio::time::sleep(if admitted { WATCH_PAUSE } else { ROUND_PAUSE }) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn meet(local: &RunningMember, founders: &[(MemberId, String)], round: u32, admitted: &mut bool) {
    let answers = local.ask_all(founders).await;
    // Read after the answers: it then includes everything acknowledged before them.
    let holding = local.holding().await;
    let me = local.admission.me();
    if *admitted {
        if let Some(refusal) = contradiction(me, holding, &answers) {
            *admitted = false;
            shut(local, &refusal, 0);
        }
        return;
    }
    let hears_itself = answers.iter().any(|answer| answer.member == me.member);
    match decide(me, holding, &answers) {
        Verdict::Admit { form: false } if !holding.is_blank && !hears_itself && round < SELF_ROUNDS_MAX => {}
        Verdict::Admit { form } => {
            if !holding.is_blank && !hears_itself {
                tracing::warn!(
                    "this metadata member does not reach itself at its own address: check server.rpc_advertise"
                );
            }
            local.admission.open();
            let formed = if form { initialize(local, founders).await } else { Ok(()) };
            match formed {
                Ok(()) => *admitted = true,
                Err(error) => shut(local, &error, round),
            }
        }
        Verdict::Wait(reason) | Verdict::Refuse(reason) => shut(local, &reason, round),
    }
}

fn shut(local: &RunningMember, reason: &str, round: u32) {
    if local.admission.close(reason) || round.is_multiple_of(ROUNDS_PER_LINE) {
        tracing::error!("metadata member {} takes no part: {reason}", local.admission.me().member);
    }
}
