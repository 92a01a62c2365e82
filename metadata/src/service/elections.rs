//! Elections, as [`crate::raft::candidacy`] says: a member asks before it stands for one, a leader that nobody answers is
//! silent, and one that nobody reaches hands over, so that another one can be elected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_core::id::MemberId;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use minicbor::Encode;
use tokio::sync::watch;

use super::hello::hello;
use super::member::RunningMember;
use crate::leader::LeaderError;
use crate::raft::candidacy::{Attempts, Ballot, LEASE, Standing, is_as_new, is_majority_denied};
use crate::raft::message::{Assent, MayStand, RaftPath, Reach, Stopped};

/// Time between two looks for a leader.
const STEP: Duration = Duration::from_millis(50);
/// Time between two questions of a leader whether it is reached, and how many have to be denied in a row.
const REACH_STEP: Duration = Duration::from_secs(1);
const DENIALS_MAX: u32 = 3;
/// Limit for an answer, for which the other member calls back.
const ASSENT_LIMIT: Duration = Duration::from_millis(900);

/// Runs until the member stops: looks for a leader and stands for election where there is none; as the leader, makes sure that
/// it is reached.
pub(super) async fn run(weak: Weak<RunningMember>, mut stop: watch::Receiver<bool>) {
    let looks = async {
        let mut attempts = Attempts::default();
        while let Some(member) = weak.upgrade() {
            member.look(&mut attempts).await;
            drop(member);
            tokio::time::sleep(STEP).await;
        }
    };
    let reaches = async {
        let mut denials = 0;
        while let Some(member) = weak.upgrade() {
            member.watch_own_address(&mut denials).await;
            drop(member);
            tokio::time::sleep(REACH_STEP).await;
        }
    };
    tokio::select! {
        _ = futures_util::future::join(looks, reaches) => {}
        _ = stop.changed() => {}
    }
}

impl RunningMember {
    /// A leader's message was accepted, or another member elected.
    pub(super) fn hear_leader(&self) {
        self.voice.hear(self.leader.now());
    }

    /// Where this member stands now.
    fn standing(&self) -> Standing {
        let now = self.leader.now();
        if self.leader.leads() {
            let voters = self.leader.members().group().voters;
            let led_for = now.saturating_sub(self.leader.memory().began);
            let majority_age = self.voice.majority_age(self.admission.me().member, &voters, now);
            return Standing::of_leader(led_for, majority_age, self.voice.wanted_age(now));
        }
        let unheard = self.voice.unheard_for(now).unwrap_or_else(|| now.saturating_sub(self.started));
        if unheard < LEASE { Standing::Follows } else { Standing::Waits(unheard) }
    }

    /// Whether this member leads and a majority has answered it within the time that followers wait for a leader.
    pub(super) fn leads_a_majority(&self) -> bool {
        self.standing() == Standing::Leads
    }

    /// Refuses what only a leader may do if no majority has answered this one for too long: nothing was done, and another
    /// member may lead by now.
    pub(super) fn check_heard(&self) -> Result<(), LeaderError> {
        if self.voice.is_silent() { Err(LeaderError::NotLeader(None)) } else { Ok(()) }
    }

    async fn look(&self, attempts: &mut Attempts) {
        let standing = self.standing();
        self.fall_silent(standing == Standing::LeadsUnheard);
        let random = u128::from_le_bytes(self.random.bytes16()) as u64;
        if !attempts.is_due(standing, self.leader.now(), random) || self.admission.check().is_err() {
            return;
        }
        let group = self.leader.members().group();
        if !group.is_voter(self.admission.me().member) {
            return;
        }
        match self.ask_to_stand(group.voters, &group.nodes).await {
            Ok(()) if standing == Standing::LeadsUnheard => {
                // Raft elects no leader anew. This one may be the only one that can be elected, by what is in its log.
                tracing::info!("a majority of the metadata members would elect this leader: it speaks again");
                self.leader.begin_anew();
                self.voice.want(self.leader.now());
            }
            Ok(()) => {
                if let Err(error) = self.raft.trigger().elect().await {
                    tracing::debug!(%error, "cannot stand for election");
                }
            }
            Err(why) => tracing::info!("this metadata member does not stand for election: {why}"),
        }
    }

    fn fall_silent(&self, is_silent: bool) {
        let term = self.leader.term();
        if is_silent && !self.voice.is_silent_in(term) {
            tracing::warn!(
                "no majority of the metadata members answers this leader: it is silent until one is elected"
            );
        }
        self.voice.fall_silent(is_silent.then_some(term));
    }

    /// Asks the other voters whether they would elect this member. The term stays as it is meanwhile.
    async fn ask_to_stand(
        &self,
        voters: Vec<BTreeSet<MemberId>>,
        nodes: &BTreeMap<MemberId, String>,
    ) -> Result<(), String> {
        let me = self.admission.me().member;
        let question = MayStand { hello: self.greeting(), last: self.log.last().map(Into::into) };
        let others = nodes.iter().filter(|(id, _)| **id != me && voters.iter().any(|set| set.contains(id)));
        let mut asked: FuturesUnordered<_> =
            others.map(|(id, addr)| self.ask(*id, addr, RaftPath::MAY_STAND, &question)).collect();
        let (mut ballot, mut refusals) = (Ballot::new(me, voters.clone()), Vec::new());
        while !ballot.is_won() {
            let Some((member, answer)) = asked.next().await else { return Err(refusals.join("; ")) };
            let term = self.leader.term();
            if answer.as_ref().is_ok_and(|assent| assent.led_in > Some(term)) {
                self.voice.supersede(term);
            }
            match answer.map(|assent| assent.refusal) {
                Ok(None) => ballot.grant(member),
                Ok(Some(why)) | Err(why) => refusals.push(format!("member {member}: {why}")),
            }
        }
        Ok(())
    }

    async fn ask<M: Encode<()> + Sync>(
        &self,
        member: MemberId,
        addr: &str,
        path: &str,
        question: &M,
    ) -> (MemberId, Result<Assent, String>) {
        let answer = match self.rpc.call::<M, Assent, Stopped>(addr, path, question, ASSENT_LIMIT).await {
            Ok(Ok(assent)) => Ok(assent),
            Ok(Err(stopped)) => Err(stopped.to_string()),
            Err(error) => Err(error.to_string()),
        };
        (member, answer)
    }

    /// Answers whether this member would elect another one.
    pub(super) async fn may_stand(&self, question: MayStand) -> Result<Assent, Stopped> {
        self.admission.check()?;
        if *self.stop.borrow() {
            return Err(Stopped::because("it stops"));
        }
        if !self.standing().may_elect() {
            let led_in = Some(self.leader.term());
            return Ok(Assent { refusal: Some("there is a leader".to_owned()), led_in });
        }
        if !is_as_new(question.last.map(Into::into), self.log.last()) {
            return Ok(Assent::new(Some("its log is older".to_owned())));
        }
        self.reaches(Reach { hello: question.hello }).await
    }

    /// Answers whether this member reaches another one at its address, over a new connection: clients too must reach a leader.
    pub(super) async fn reaches(&self, question: Reach) -> Result<Assent, Stopped> {
        let asker = question.hello.member;
        let Some(addr) = self.leader.members().addresses().remove(&asker) else {
            return Ok(Assent::new(Some("it is no member here".to_owned())));
        };
        let refusal = match hello(&self.rpc.over_new_connections(), &addr, &self.greeting()).await {
            Ok(answer) if answer.member == asker => None,
            Ok(answer) => Some(format!("at its address {addr} is member {}", answer.member)),
            Err(error) => Some(format!("it is not reached at its address: {error}")),
        };
        Ok(Assent::new(refusal))
    }

    /// A leader that answers its followers' questions can be one that nobody reaches: it asks them, and hands over.
    async fn watch_own_address(self: &Arc<Self>, denials: &mut u32) {
        let group = self.leader.members().group();
        if !self.leads_a_majority() || group.nodes.len() < 2 {
            *denials = 0;
            return;
        }
        let me = self.admission.me().member;
        let question = Reach { hello: self.greeting() };
        let others = group.nodes.iter().filter(|(id, _)| **id != me);
        let answers = join_all(others.map(|(id, addr)| self.ask(*id, addr, RaftPath::REACH, &question))).await;
        let denied = |(id, answer): &(MemberId, Result<Assent, String>)| {
            answer.as_ref().ok().filter(|assent| assent.refusal.is_some()).map(|_| *id)
        };
        let deniers: BTreeSet<MemberId> = answers.iter().filter_map(denied).collect();
        *denials = if is_majority_denied(me, &group.voters, &deniers) { *denials + 1 } else { 0 };
        if *denials < DENIALS_MAX {
            return;
        }
        let nearest = deniers.into_iter().filter(|id| group.is_voter(*id));
        let Some(next) = nearest.min_by_key(|id| group.lag(*id).unwrap_or(u64::MAX)) else { return };
        tracing::error!(
            "the other metadata members do not reach this one at its address, so it hands the lead over to member {next}: \
             check server.rpc_advertise and the network"
        );
        if let Err(error) = self.transfer_lead(next).await {
            tracing::warn!(%error, "the lead is not handed over");
        }
        *denials = 0;
    }
}
