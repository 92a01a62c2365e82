//! Whether this directory may act as its member.
//!
//! Raft relies on members that remember what they voted for and acknowledged. A directory that was emptied, copied,
//! or restored from an old copy has forgotten it. So before a member takes part in Raft it asks the other members
//! what they know about it, and checks who answers at its own address. While anything contradicts its directory the
//! member stays out, and logs the reason and the remedy until it is resolved.

use cairn_core::sync::IgnorePoison;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use cairn_core::id::ClusterId;
use cairn_core::release::FeatureLevel;
use cairn_protocol::rpc::ClientId;

use super::message::{HelloAnswer, Stopped};
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;

/// Keeps this member out of Raft until its directory is verified.
#[derive(Debug)]
pub(crate) struct Admission {
    me: LocalMember,
    state: Mutex<State>,
}

#[derive(Debug, Clone)]
pub(crate) struct LocalMember {
    pub(crate) member: MemberId,
    pub(crate) incarnation: Incarnation,
    /// Drawn when the process started.
    pub(crate) process: ClientId,
    /// The members that form a new cluster.
    pub(crate) founders: Vec<MemberId>,
}

#[derive(Debug, Default)]
struct State {
    /// Why the member is kept out; `None` once it is admitted.
    closed: Option<String>,
    /// What the other members said of themselves.
    met: BTreeMap<MemberId, Met>,
}

/// What a member said of itself.
#[derive(Debug, Clone, Copy)]
struct Met {
    incarnation: Incarnation,
    /// The highest feature level that it supports.
    newest: FeatureLevel,
}

/// The result of asking all other members once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The member takes part. `form`: it must also form the cluster with the others.
    Admit { form: bool },
    /// Something else has to happen first.
    Wait(String),
    /// This directory may not act as this member.
    Refuse(String),
}

/// What the directory holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Holding {
    pub(crate) cluster: Option<ClusterId>,
    /// Whether it has never held anything.
    pub(crate) is_blank: bool,
    pub(crate) last_log: u64,
    /// How often the cluster had begun again when the directory last heard of it.
    pub(crate) recoveries: u64,
}

impl Admission {
    /// Not admitted yet.
    pub(crate) fn new(me: LocalMember) -> Self {
        let closed = Some("the other members have not been asked yet".to_owned());
        Self { me, state: Mutex::new(State { closed, ..State::default() }) }
    }

    pub(crate) fn me(&self) -> &LocalMember {
        &self.me
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().ignore_poison()
    }

    /// Refused with the reason while the member is kept out.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        match &self.state().closed {
            None => Ok(()),
            Some(reason) => Err(Stopped::because(reason)),
        }
    }

    pub(crate) fn open(&self) {
        self.state().closed = None;
    }

    /// Returns whether the reason is a new one.
    pub(crate) fn close(&self, reason: &str) -> bool {
        let mut state = self.state();
        let changed = state.closed.as_deref() != Some(reason);
        state.closed = Some(reason.to_owned());
        changed
    }

    pub(crate) fn meet(&self, member: MemberId, incarnation: Incarnation, newest: FeatureLevel) {
        if member != self.me.member {
            self.state().met.insert(member, Met { incarnation, newest });
        }
    }

    /// The highest feature level that this member and all that it has met support.
    pub(crate) fn common_level(&self) -> FeatureLevel {
        let newest = self.state().met.values().map(|met| met.newest).min();
        newest.unwrap_or(FeatureLevel::NEWEST).min(FeatureLevel::NEWEST)
    }

    /// `None` if the member has not been met.
    pub(crate) fn incarnation_of(&self, member: MemberId) -> Option<Incarnation> {
        if member == self.me.member {
            Some(self.me.incarnation)
        } else {
            self.state().met.get(&member).map(|met| met.incarnation)
        }
    }
}

/// The verdict on the first answers of the other members.
pub(crate) fn decide(me: &LocalMember, holding: Holding, answers: &[HelloAnswer]) -> Verdict {
    if let Some(refusal) = contradiction(me, holding, answers) {
        return Verdict::Refuse(refusal);
    }
    let member = me.member;
    if !holding.is_blank {
        let acknowledged = answers.iter().filter_map(|answer| answer.acknowledged).max();
        return match acknowledged {
            Some(acknowledged) if acknowledged > holding.last_log => Verdict::Refuse(format!(
                "member {member} has acknowledged log entry {acknowledged}, its directory ends at {}: it was put back \
                 from an older copy; empty it, run `cairn metadata members remove {member}` and add the member again",
                holding.last_log
            )),
            _ => Verdict::Admit { form: false },
        };
    }
    if answers.iter().any(|answer| answer.cluster.is_some() && answer.enrolled == Some(me.incarnation)) {
        return Verdict::Admit { form: false };
    }
    if let Some(cluster) = answers.iter().find_map(|answer| answer.cluster) {
        return Verdict::Wait(format!(
            "cluster {cluster} is formed and this member is new: run `cairn metadata members add {member} HOST:PORT`"
        ));
    }
    let absent = |other: &&MemberId| **other != member && !answers.iter().any(|answer| answer.member == **other);
    let missing: Vec<String> = me.founders.iter().filter(absent).map(ToString::to_string).collect();
    if !me.founders.contains(&member) {
        return Verdict::Wait("no member of a formed cluster answers yet".to_owned());
    }
    if !missing.is_empty() {
        return Verdict::Wait(format!(
            "a new cluster is formed once all its members have met; missing: {}",
            missing.join(", ")
        ));
    }
    Verdict::Admit { form: true }
}

/// Why the directory may not act as its member; `None` if no answer contradicts it.
pub(crate) fn contradiction(me: &LocalMember, holding: Holding, answers: &[HelloAnswer]) -> Option<String> {
    let (member, cluster) = (me.member, holding.cluster);
    if answers.iter().any(|answer| answer.member == member && answer.process != me.process) {
        return Some(format!(
            "another process answers at the address of member {member}: one of the two runs on a copy of the other's \
             directory; stop the one that is not at that address, and add it with a number of its own and an empty \
             directory"
        ));
    }
    if let (Some(ours), Some(theirs)) =
        (cluster, answers.iter().find_map(|a| a.cluster.filter(|c| Some(*c) != cluster)))
    {
        return Some(format!("the other members belong to cluster {theirs}, this directory to cluster {ours}"));
    }
    let recoveries = answers.iter().filter_map(|answer| answer.recoveries).max().unwrap_or(0);
    // A member that was just added has heard of a leader and may still be receiving a large state, so it belongs to
    // no recovery yet.
    let holds_something = cluster.is_some() || holding.last_log > 0;
    if holds_something && recoveries > holding.recoveries {
        return Some(format!(
            "the cluster was restored or recovered without member {member}, whose directory is of the life before: empty \
             it, and add the member again"
        ));
    }
    let enrolled = answers.iter().filter(|answer| answer.cluster.is_some()).find_map(|answer| answer.enrolled);
    if enrolled.is_some_and(|enrolled| enrolled != me.incarnation) {
        return Some(format!(
            "this is not the directory with which member {member} joined the cluster: that one has promised what this \
             one does not know; put it back, or, if it is lost, run `cairn metadata members remove {member}`, and add \
             the member again with an empty directory"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    use cairn_core::release::Release;

    use super::*;

    fn id(n: u8) -> Incarnation {
        Incarnation::from_bytes([n; 16])
    }

    fn process(n: u8) -> ClientId {
        ClientId::from_bytes([n; 16])
    }

    fn me() -> LocalMember {
        LocalMember {
            member: MemberId(2),
            incarnation: id(2),
            process: process(92),
            founders: [1, 2, 3].map(MemberId).to_vec(),
        }
    }

    fn answer(member: u64, formed: bool, enrolled: Option<u8>) -> HelloAnswer {
        let cluster = formed.then(|| ClusterId::from_random([7; 16]));
        let (incarnation, process) = (id(member as u8), self::process(90 + member as u8));
        HelloAnswer {
            member: MemberId(member),
            incarnation,
            process,
            cluster,
            is_blank: !formed,
            enrolled: enrolled.map(id),
            acknowledged: None,
            recoveries: None,
            has_room: None,
            release: Release::current(),
        }
    }

    fn blank(answers: &[HelloAnswer]) -> Verdict {
        decide(&me(), Holding { cluster: None, is_blank: true, last_log: 0, recoveries: 0 }, answers)
    }

    fn formed(answers: &[HelloAnswer]) -> Verdict {
        let cluster = Some(ClusterId::from_random([7; 16]));
        decide(&me(), Holding { cluster, is_blank: false, last_log: 50, recoveries: 3 }, answers)
    }

    fn refusal(verdict: Verdict) -> String {
        match verdict {
            Verdict::Refuse(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_new_cluster_needs_all_its_members() {
        assert!(matches!(blank(&[]), Verdict::Wait(reason) if reason.contains("1, 3")));
        assert!(matches!(blank(&[answer(1, false, None)]), Verdict::Wait(_)));
        assert_eq!(blank(&[answer(1, false, None), answer(3, false, None)]), Verdict::Admit { form: true });
        assert_eq!(blank(&[answer(1, true, Some(2))]), Verdict::Admit { form: false }, "the others were faster");
    }

    #[test]
    fn a_stranger_waits_to_be_added() {
        let me = LocalMember { member: MemberId(4), ..me() };
        let holding = Holding { cluster: None, is_blank: true, last_log: 0, recoveries: 0 };
        let everybody = [answer(1, false, None), answer(2, false, None), answer(3, false, None)];
        assert!(matches!(decide(&me, holding, &everybody), Verdict::Wait(_)));
        let verdict = decide(&me, holding, &[answer(1, true, None)]);
        assert!(matches!(verdict, Verdict::Wait(reason) if reason.contains("members add 4")));
    }

    /// I15, I18: no empty directory takes the place of a member that has made promises.
    #[test]
    fn a_member_that_forgot_its_promises_takes_no_part() {
        let emptied = blank(&[answer(1, true, Some(9)), answer(3, false, None)]);
        assert!(refusal(emptied).contains("members remove 2"));
        let replaced = formed(&[answer(1, true, Some(9))]);
        assert!(refusal(replaced).contains("put it back"));
        let rolled_back = HelloAnswer { acknowledged: Some(51), ..answer(1, true, Some(2)) };
        assert!(refusal(formed(std::slice::from_ref(&rolled_back))).contains("older copy"));
        let current = HelloAnswer { acknowledged: Some(50), ..rolled_back };
        assert_eq!(formed(&[current]), Verdict::Admit { form: false });
        let recovered = HelloAnswer { recoveries: Some(4), ..answer(1, true, None) };
        assert!(refusal(formed(&[recovered])).contains("life before"));
        let cluster = Some(ClusterId::from_random([8; 16]));
        let foreign = HelloAnswer { cluster, ..answer(1, true, None) };
        assert!(refusal(formed(&[foreign])).contains("belong to cluster"));
    }

    /// The restored state is large: the leader has contacted the member, which has received none of the state yet.
    #[test]
    fn a_member_still_receiving_the_state_is_not_taken_for_an_older_one() {
        let restored = HelloAnswer { recoveries: Some(4), ..answer(1, true, Some(2)) };
        let arriving = Holding { cluster: None, is_blank: false, last_log: 0, recoveries: 0 };
        assert_eq!(contradiction(&me(), arriving, std::slice::from_ref(&restored)), None);
        assert_eq!(decide(&me(), arriving, std::slice::from_ref(&restored)), Verdict::Admit { form: false });
        let with_entries = Holding { last_log: 1, ..arriving };
        assert!(contradiction(&me(), with_entries, &[restored]).is_some_and(|why| why.contains("life before")));
    }

    #[test]
    fn a_clone_finds_the_original_at_its_address() {
        let original = HelloAnswer { process: process(93), ..answer(2, true, Some(2)) };
        assert!(refusal(formed(&[original])).contains("copy of the other's"));
        let myself = HelloAnswer { process: process(92), ..answer(2, true, Some(2)) };
        assert_eq!(formed(&[myself]), Verdict::Admit { form: false });
        assert_eq!(formed(&[]), Verdict::Admit { form: false }, "after a full outage nobody answers at first");
    }
}
