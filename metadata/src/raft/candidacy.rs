//! When a member stands for election, and whom it helps to be elected. Raft alone elects whoever asks first: also a member
//! that reaches the others and cannot be reached itself, and it lets a leader go on that nobody answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::sync::IgnorePoison;

use super::times::{ELECTION_MS_MAX, ELECTION_MS_MIN};
use super::types::LogId;

/// Followers wait this long for a leader before they believe that it is gone.
pub(crate) const LEASE: Duration = Duration::from_millis(ELECTION_MS_MAX);
/// A leader that no majority has answered for this long is silent from then on: two election timeouts.
pub(crate) const SILENCE: Duration = Duration::from_millis(2 * ELECTION_MS_MAX);

/// What a member has heard: from leaders, and as one from those that follow it; and whether it speaks as one. Shared by those
/// that hear and those that send.
#[derive(Debug, Default)]
pub(crate) struct Voice {
    /// When a leader was heard last, in milliseconds of the monotonic clock, and one; zero before the first time.
    heard: AtomicU64,
    /// The term in which this member leads and is silent, and one; zero if it is not.
    silent_term: AtomicU64,
    /// A term in which this member led until another leader was elected, and one.
    superseded_term: AtomicU64,
    /// When a majority last wanted this member to go on as its leader, as `heard`.
    wanted: AtomicU64,
    /// When each member last accepted a message from this one as its leader.
    answered: Mutex<BTreeMap<MemberId, Duration>>,
}

impl Voice {
    /// A member accepted a message from this one as its leader.
    pub(crate) fn answered(&self, member: MemberId, now: Duration) {
        self.answered.lock().ignore_poison().insert(member, now);
    }

    /// Time since which a majority of each set has answered; `None` if it never has.
    pub(crate) fn majority_age(&self, me: MemberId, voters: &[BTreeSet<MemberId>], now: Duration) -> Option<Duration> {
        let answered = self.answered.lock().ignore_poison();
        let age = |member: &MemberId| match answered.get(member) {
            _ if *member == me => Some(Duration::ZERO),
            at => at.map(|at| now.saturating_sub(*at)),
        };
        let of_set = |set: &BTreeSet<MemberId>| {
            let mut ages: Vec<Duration> = set.iter().filter_map(age).collect();
            ages.sort_unstable();
            ages.get(set.len() / 2).copied()
        };
        voters.iter().map(of_set).try_fold(Duration::ZERO, |most, age| Some(most.max(age?)))
    }

    /// A leader's message was accepted.
    pub(crate) fn hear(&self, now: Duration) {
        self.heard.fetch_max(millis(now) + 1, Ordering::Relaxed);
    }

    /// Time since a leader was heard; `None` if none was yet.
    pub(crate) fn unheard_for(&self, now: Duration) -> Option<Duration> {
        age(&self.heard, now)
    }

    /// A majority would elect this member, which leads: it may speak again.
    pub(crate) fn want(&self, now: Duration) {
        self.wanted.fetch_max(millis(now) + 1, Ordering::Relaxed);
    }

    /// Time since a majority wanted this member to go on; `None` if it never did.
    pub(crate) fn wanted_age(&self, now: Duration) -> Option<Duration> {
        age(&self.wanted, now)
    }

    /// Sets the term in which this member leads without being answered; `None` if it does not.
    pub(crate) fn fall_silent(&self, term: Option<u64>) {
        self.silent_term.store(term.map_or(0, |term| term + 1), Ordering::Relaxed);
    }

    /// Whether this member leads and is silent.
    pub(crate) fn is_silent(&self) -> bool {
        self.silent_term.load(Ordering::Relaxed) > 0
    }

    /// Another leader was elected after `term`: as the leader of `term` this member may speak, because whoever follows the
    /// other one answers with its term, which ends the old lead.
    pub(crate) fn supersede(&self, term: u64) {
        self.superseded_term.store(term + 1, Ordering::Relaxed);
    }

    /// Whether nothing may be sent as the leader of `term`.
    pub(crate) fn is_silent_in(&self, term: u64) -> bool {
        let is = |at: &AtomicU64| at.load(Ordering::Relaxed) == term + 1;
        is(&self.silent_term) && !is(&self.superseded_term)
    }
}

/// Time since `at`, which is in milliseconds and one more; `None` if it is zero.
fn age(at: &AtomicU64, now: Duration) -> Option<Duration> {
    let at = at.load(Ordering::Relaxed).checked_sub(1)?;
    Some(Duration::from_millis(millis(now).saturating_sub(at)))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 2)
}

/// Where a member stands at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It leads, and a majority answers.
    Leads,
    /// It leads, and a majority has not answered for longer than followers wait for a leader.
    LeadsLate,
    /// It leads, and for too long no majority has answered.
    LeadsUnheard,
    /// It hears a leader.
    Follows,
    /// There is no leader as far as it can tell, for this long.
    Waits(Duration),
}

impl Standing {
    /// Where a leader stands that has led for some time, was answered by a majority some time ago, and was wanted by one when
    /// it was silent.
    pub(crate) fn of_leader(led_for: Duration, majority_age: Option<Duration>, wanted_age: Option<Duration>) -> Self {
        match majority_age.unwrap_or(Duration::MAX).min(led_for) {
            age if age < LEASE => Self::Leads,
            age if age < SILENCE => Self::LeadsLate,
            // Nobody has promised not to elect another one.
            _ if wanted_age.is_some_and(|age| age < SILENCE) => Self::LeadsLate,
            _ => Self::LeadsUnheard,
        }
    }

    /// Whether another member may be elected.
    pub(crate) fn may_elect(self) -> bool {
        self == Self::LeadsLate || self.wants_leader()
    }

    /// Whether this member tries to be elected.
    pub(crate) fn wants_leader(self) -> bool {
        match self {
            Self::Leads | Self::LeadsLate | Self::Follows => false,
            Self::LeadsUnheard => true,
            Self::Waits(time) => time >= LEASE,
        }
    }
}

/// When a member stands for election: once it has been without a leader for the lease and a random time beyond it, which
/// is drawn anew for each attempt.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    /// No attempt before.
    not_before: Option<Duration>,
}

impl Attempts {
    /// Whether to try now. `random` decides the time until the next attempt.
    pub(crate) fn is_due(&mut self, standing: Standing, now: Duration, random: u64) -> bool {
        if !standing.wants_leader() {
            self.not_before = None;
            return false;
        }
        let mut pause = Duration::from_millis(ELECTION_MS_MIN + random % (ELECTION_MS_MAX - ELECTION_MS_MIN + 1));
        if standing == Standing::LeadsUnheard {
            // There may be a reason why it is not answered: the others go first.
            pause += SILENCE;
        }
        let is_due = self.not_before.is_some_and(|at| at <= now);
        if is_due || self.not_before.is_none() {
            self.not_before = Some(now + pause);
        }
        is_due
    }
}

/// Whether a member with the log end `own` would elect one with the log end `theirs`.
pub(crate) fn is_as_new(theirs: Option<LogId>, own: Option<LogId>) -> bool {
    theirs >= own
}

/// Whether so many voters deny that they reach the leader `me` that the others are no majority with it.
pub(crate) fn is_majority_denied(me: MemberId, voters: &[BTreeSet<MemberId>], deniers: &BTreeSet<MemberId>) -> bool {
    let others = |set: &BTreeSet<MemberId>| set.iter().filter(|id| **id != me && !deniers.contains(id)).count();
    voters.iter().any(|set| others(set) + usize::from(set.contains(&me)) <= set.len() / 2)
}

/// Who would elect a member that asks.
#[derive(Debug)]
pub(crate) struct Ballot {
    /// Each set of members of which a majority is needed.
    voters: Vec<BTreeSet<MemberId>>,
    granted: BTreeSet<MemberId>,
}

impl Ballot {
    /// `me` is for itself.
    pub(crate) fn new(me: MemberId, voters: Vec<BTreeSet<MemberId>>) -> Self {
        Self { voters, granted: BTreeSet::from([me]) }
    }

    pub(crate) fn grant(&mut self, member: MemberId) {
        self.granted.insert(member);
    }

    /// Whether a majority of each set is in favour.
    pub(crate) fn is_won(&self) -> bool {
        self.voters.iter().all(|set| set.intersection(&self.granted).count() > set.len() / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_majority_of_every_set_is_needed() {
        let check = |sets: &[&[u64]], granted: &[u64], expected: bool| {
            let set = |members: &&[u64]| members.iter().copied().map(MemberId).collect();
            let mut ballot = Ballot::new(MemberId(1), sets.iter().map(set).collect());
            for member in granted {
                ballot.grant(MemberId(*member));
            }
            assert_eq!(ballot.is_won(), expected, "{sets:?} {granted:?}");
        };
        check(&[&[1]], &[], true);
        check(&[&[1, 2, 3]], &[], false);
        check(&[&[1, 2, 3]], &[3], true);
        check(&[&[1, 2, 3, 9]], &[3], false);
        check(&[&[1, 2, 3], &[4, 5, 6]], &[2, 4], false);
        check(&[&[1, 2, 3], &[4, 5, 6]], &[2, 4, 5], true);
    }

    #[test]
    fn a_leader_is_denied_if_it_has_no_majority_with_those_that_reach_it() {
        let set = |members: &[u64]| members.iter().copied().map(MemberId).collect::<BTreeSet<_>>();
        let check = |voters: &[u64], deniers: &[u64], expected: bool| {
            let denied = is_majority_denied(MemberId(1), &[set(voters)], &set(deniers));
            assert_eq!(denied, expected, "{voters:?} {deniers:?}");
        };
        check(&[1, 2, 3], &[2], false);
        check(&[1, 2, 3], &[2, 3], true);
        check(&[1, 2], &[2], true);
        check(&[1, 2, 3, 4, 5], &[2, 3], false);
        check(&[1, 2, 3, 4, 5], &[2, 3, 4], true);
        check(&[1], &[], false);
    }

    #[test]
    fn an_attempt_comes_a_random_time_after_the_lease_and_the_next_after_another() {
        let mut attempts = Attempts::default();
        for time in [0, 300, 699] {
            assert!(!attempts.is_due(Standing::Waits(ms(time)), ms(time), 7), "within the lease");
        }
        assert!(!attempts.is_due(Standing::Waits(ms(700)), ms(700), 0));
        assert!(!attempts.is_due(Standing::Waits(ms(1149)), ms(1149), 100));
        assert!(attempts.is_due(Standing::Waits(ms(1150)), ms(1150), 100), "450 ms after the lease");
        assert!(!attempts.is_due(Standing::Waits(ms(1699)), ms(1699), 0), "550 ms after the first");
        assert!(attempts.is_due(Standing::Waits(ms(1700)), ms(1700), 0));
        assert!(!attempts.is_due(Standing::Follows, ms(9000), 0));
        assert!(!attempts.is_due(Standing::LeadsUnheard, ms(9001), 0), "a new wait begins");
        assert!(!attempts.is_due(Standing::LeadsUnheard, ms(10_850), 0), "the others go first");
        assert!(attempts.is_due(Standing::LeadsUnheard, ms(10_851), 0));
    }

    #[test]
    fn a_leader_that_nobody_answers_lets_others_be_elected_and_then_is_silent() {
        let check = |led_for, age: Option<u64>, expected: Standing, may_elect: bool| {
            let standing = Standing::of_leader(ms(led_for), age.map(ms), None);
            assert_eq!((standing, standing.may_elect()), (expected, may_elect), "{led_for} {age:?}");
        };
        check(100, None, Standing::Leads, false);
        check(9000, Some(699), Standing::Leads, false);
        check(9000, Some(700), Standing::LeadsLate, true);
        check(800, Some(5000), Standing::LeadsLate, true);
        check(9000, Some(1400), Standing::LeadsUnheard, true);
        check(9000, None, Standing::LeadsUnheard, true);
        assert!(!Standing::LeadsLate.wants_leader() && Standing::LeadsUnheard.wants_leader());
        let wanted = |age| Standing::of_leader(ms(9000), Some(ms(5000)), Some(ms(age)));
        assert_eq!((wanted(1399), wanted(1400)), (Standing::LeadsLate, Standing::LeadsUnheard));
    }

    #[test]
    fn a_leader_is_heard_as_long_as_a_majority_of_every_set_answers() {
        let voice = Voice::default();
        for (member, at) in [(2, 900), (3, 500), (4, 100)] {
            voice.answered(MemberId(member), ms(at));
        }
        let check = |sets: &[&[u64]], expected: Option<u64>| {
            let sets: Vec<_> = sets.iter().map(|set| set.iter().copied().map(MemberId).collect()).collect();
            assert_eq!(voice.majority_age(MemberId(1), &sets, ms(1000)), expected.map(ms), "{sets:?}");
        };
        check(&[&[1]], Some(0));
        check(&[&[1, 2, 3]], Some(100));
        check(&[&[1, 3, 4]], Some(500));
        check(&[&[1, 2, 3, 4]], Some(500));
        check(&[&[1, 2, 3], &[2, 3, 4]], Some(500));
        check(&[&[1, 8, 9]], None);
    }

    #[test]
    fn a_member_with_an_older_log_is_not_asked_to_lead() {
        let at = |term, index| Some(LogId::new(openraft::CommittedLeaderId::new(term, MemberId(1)), index));
        assert!(is_as_new(at(2, 7), at(2, 7)) && is_as_new(at(3, 1), at(2, 7)) && is_as_new(at(1, 0), None));
        assert!(!is_as_new(at(2, 6), at(2, 7)) && !is_as_new(at(1, 9), at(2, 7)) && !is_as_new(None, at(1, 0)));
    }

    #[test]
    fn a_silent_term_says_nothing_about_the_next() {
        let voice = Voice::default();
        assert!(!voice.is_silent_in(0) && voice.unheard_for(ms(5)).is_none());
        voice.fall_silent(Some(4));
        assert!(voice.is_silent_in(4) && !voice.is_silent_in(5) && !voice.is_silent_in(3));
        voice.supersede(4);
        assert!(!voice.is_silent_in(4) && voice.is_silent());
        voice.fall_silent(Some(7));
        assert!(voice.is_silent_in(7), "what was superseded was another term");
        voice.fall_silent(None);
        assert!(!voice.is_silent_in(7) && !voice.is_silent());
        voice.hear(ms(100));
        voice.hear(ms(90));
        assert_eq!(voice.unheard_for(ms(130)), Some(ms(30)));
    }
}
