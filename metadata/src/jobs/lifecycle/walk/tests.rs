use std::time::Duration;

use cairn_core::lifecycle::{Day, Expiration, Filter, NoncurrentExpiration, Rule, ServiceTime};
use cairn_core::name::BucketName;
use cairn_core::version::Versioning;
use cairn_protocol::metadata::command::{CreateBucket, SetBucketSetting};

use super::*;
use crate::state::commands::testing::{State, expire_all, lifecycle_change};

/// Everything that was written so far has been there for an hour of service, and the wall clock has gone on by as much. A
/// day is a second: commands of these tests are a second apart.
fn end_of(state: &State) -> Vec<ApplyLifecycle> {
    let mut service = ServiceTime::default();
    service.advance(0, CommitSequence(u64::MAX), 1);
    service.advance(3_600_000, CommitSequence(u64::MAX), 1);
    let moment = Moment { wall_ms: 100_000_000, service: &service, day: Day::of(Duration::from_secs(1)) };
    let (mut cursor, mut all) = (Cursor::default(), Vec::new());
    while let Some(step) = super::step(&state.view(), cursor.clone(), &moment).unwrap() {
        assert!(step.looked_at <= ROWS_PER_STEP as u64);
        assert_ne!(step.next, cursor, "a walk goes on");
        all.extend(step.ended);
        cursor = step.next;
    }
    all
}

fn set(state: &State, rules: Vec<Rule>) {
    state.set_lifecycle(&rules);
}

fn about(prefix: &str, rule: Rule) -> Rule {
    Rule { id: prefix.to_owned(), filter: Filter::of_prefix(prefix), ..rule }
}

fn keys(ended: &[ApplyLifecycle]) -> Vec<String> {
    ended.iter().flat_map(|command| &command.versions).map(|version| version.key.to_string()).collect()
}

#[test]
fn a_pass_sees_what_rules_are_about_once_in_bounded_steps() {
    let state = State::with_bucket();
    let mut expected = Vec::new();
    for n in 0..600 {
        for dir in ["a", "b", "c", "d"] {
            let key = format!("{dir}/{n:03}");
            state.apply(state.commit(&key, None)).unwrap();
            if dir == "b" || dir == "d" {
                expected.push(key);
            }
        }
    }
    expected.sort();
    assert!(end_of(&state).is_empty(), "there are no rules");
    set(&state, vec![about("d/", expire_all(1)), about("b/", expire_all(1)), about("b/1", expire_all(9))]);
    let ended = end_of(&state);
    assert!(ended.iter().all(|command| command.versions.len() <= ENDED_PER_STEP));
    assert_eq!(keys(&ended), expected);
    for command in ended {
        state.apply(command).unwrap();
    }
    assert_eq!(state.usage(), (1200, 0, 0));
    assert!(end_of(&state).is_empty(), "what went is not there any more");
}

#[test]
fn uploads_and_other_buckets_have_their_turn() {
    let state = State::with_bucket();
    let abort = Rule { expiration: None, abort_uploads_days: Some(1), ..expire_all(1) };
    set(&state, vec![about("x", abort)]);
    let upload = state.create_upload("x1");
    state.create_upload("y1");
    state.put("x1", 10);
    let other = BucketName::new("videos").unwrap();
    state.apply(CreateBucket { name: other.clone(), region: String::new() }).unwrap();
    let change = lifecycle_change(&[expire_all(1)]);
    state.apply(SetBucketSetting { bucket: other.clone(), change, revision: None, now_ms: 0 }).unwrap();
    let mut commit = state.commit("z", None);
    commit.bucket = other.clone();
    state.apply(commit).unwrap();
    let ended = end_of(&state);
    let buckets: Vec<_> = ended.iter().map(|command| command.bucket.clone()).collect();
    assert_eq!(buckets, [state.bucket(), other]);
    assert_eq!(ended[0].uploads, [EndedUpload { key: object_key(b"x1").unwrap(), upload }]);
    assert_eq!((ended[0].versions.len(), keys(&ended[1..])), (0, vec!["z".to_owned()]));
}

#[test]
fn replaced_versions_are_counted_from_the_newest() {
    let state = State::with_bucket();
    state.set_versioning(Versioning::Enabled);
    let put = || {
        state.put("k", 10);
        state.newest("k").unwrap().0
    };
    let made: Vec<_> = (0..5).map(|_| put()).collect();
    state.put("l", 10);
    let noncurrent = Some(NoncurrentExpiration { days: 1, newer_kept: Some(2) });
    set(&state, vec![Rule { expiration: None, noncurrent, ..expire_all(1) }]);
    let ended = end_of(&state);
    let gone: Vec<_> = ended[0].versions.iter().map(|version| (version.sequence, version.is_current)).collect();
    assert_eq!(gone, [(made[1], false), (made[0], false)]);
    state.apply(ended[0].clone()).unwrap();
    assert!(end_of(&state).is_empty());
    assert_eq!((state.newest("k").unwrap().0, state.usage()), (made[4], (4, 40, 0)));
}

#[test]
fn a_marker_goes_when_it_hides_nothing_any_more() {
    let state = State::with_bucket();
    state.set_versioning(Versioning::Enabled);
    for key in ["k", "l"] {
        state.put(key, 10);
        state.delete(key);
    }
    state.put("l", 10);
    let noncurrent = Some(NoncurrentExpiration { days: 1, newer_kept: None });
    set(&state, vec![Rule { expiration: Some(Expiration::LoneMarkers), noncurrent, ..expire_all(1) }]);
    let mut gone = 0;
    for _ in 0..2 {
        for command in end_of(&state) {
            gone += command.versions.len();
            state.apply(command).unwrap();
        }
    }
    assert_eq!(gone, 4, "two versions, a marker that was replaced, and one that was left alone");
    assert_eq!((state.newest("k"), state.usage()), (None, (1, 10, 0)));
    assert!(end_of(&state).is_empty());
}

#[test]
fn what_the_service_has_not_seen_for_long_enough_waits() {
    let state = State::with_bucket();
    state.put("k", 10);
    set(&state, vec![expire_all(3)]);
    let mut service = ServiceTime::default();
    service.advance(0, CommitSequence(u64::MAX), 1);
    service.advance(2000, CommitSequence(u64::MAX), 1);
    let moment = Moment { wall_ms: 100_000_000, service: &service, day: Day::of(Duration::from_secs(1)) };
    let step = super::step(&state.view(), Cursor::default(), &moment).unwrap().unwrap();
    assert!(step.ended.is_none());
    assert_eq!((step.looked_at, step.waiting, step.short_ms_max), (1, 1, 1000));
}
