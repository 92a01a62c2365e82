use proptest::prelude::*;

use super::*;
use crate::lifecycle::{Day, Filter, NoncurrentExpiration, ServiceTime, expiry};

const DAY_MS: u64 = 86_400_000;
/// A midnight.
const EPOCH_MS: u64 = 20_000 * DAY_MS;

fn rule(expiration: Option<Expiration>) -> Rule {
    Rule {
        id: "r".to_owned(),
        enabled: true,
        filter: Filter::of_prefix("logs/"),
        expiration,
        noncurrent: None,
        abort_uploads_days: None,
    }
}

fn noncurrent(days: u32, newer_kept: Option<u32>) -> Rule {
    Rule { noncurrent: Some(NoncurrentExpiration { days, newer_kept }), ..rule(None) }
}

/// Rules that were set by commit 5, a day after the epoch.
fn lifecycle(rules: Vec<Rule>) -> Lifecycle {
    Lifecycle { rules, revision: CommitSequence(5), set_ms: EPOCH_MS + DAY_MS }
}

/// A service that has existed since the epoch and has made one commit on each day.
fn lived(days: u64) -> ServiceTime {
    let mut service = ServiceTime::default();
    for hour in 0..=days * 24 {
        service.advance(hour * 3_600_000, CommitSequence(hour / 24), 3_600_000);
    }
    service
}

/// Commit `n` was made on day `n`: a moment after midnight by the wall clock.
fn version(n: u64) -> VersionFacts<'static> {
    VersionFacts {
        key: "logs/a",
        sequence: CommitSequence(n),
        last_modified_ms: EPOCH_MS + n * DAY_MS + 1,
        size: 100,
        tags: &[],
        is_marker: false,
    }
}

const ALONE: Place = Place::Current { is_alone: true };

/// Checks the verdict when the wall clock shows day `wall` and the service has existed for `service` days.
fn check(rules: Vec<Rule>, version: VersionFacts<'_>, place: Place, (wall, service): (u64, u64), expected: Verdict) {
    let time = lived(service);
    let moment = Moment { wall_ms: EPOCH_MS + wall * DAY_MS, service: &time, day: Day::STANDARD };
    let lifecycle = lifecycle(rules);
    let got = decide(&lifecycle, &version, place, &moment);
    let same = matches!((got, expected), (Verdict::Wait { .. }, Verdict::Wait { .. })) || got == expected;
    assert!(same, "{lifecycle:?}\n{version:?} {place:?} on day {wall} of {service}: {got:?}, not {expected:?}");
}

const WAIT: Verdict = Verdict::Wait { short_ms: 0 };

#[test]
fn current_versions_expire_at_the_midnight_after_their_days() {
    let days = || vec![rule(Some(Expiration::Days(3)))];
    for (wall, expected) in [(12, Verdict::Keep), (13, Verdict::Keep), (14, Verdict::Expire), (99, Verdict::Expire)] {
        check(days(), version(10), ALONE, (wall, 99), expected);
        check(days(), version(10), Place::Current { is_alone: false }, (wall, 99), expected);
    }
    check(
        vec![Rule { enabled: false, ..rule(Some(Expiration::Days(3))) }],
        version(10),
        ALONE,
        (99, 99),
        Verdict::Keep,
    );
    check(days(), VersionFacts { key: "log", ..version(10) }, ALONE, (99, 99), Verdict::Keep);
    let replaced = Place::Noncurrent { successor: CommitSequence(11), since_ms: EPOCH_MS, newer: 0 };
    check(days(), version(10), replaced, (99, 99), Verdict::Keep);
}

/// I20: whichever clock is wrong, and when.
#[test]
fn a_wall_clock_alone_expires_nothing() {
    let days = |n| vec![rule(Some(Expiration::Days(n)))];
    // It jumps a year ahead.
    check(days(30), version(10), ALONE, (400, 12), WAIT);
    // It was years behind when the version was written.
    let old = VersionFacts { last_modified_ms: 1, ..version(10) };
    check(days(30), old, ALONE, (41, 12), WAIT);
    check(days(30), old, ALONE, (41, 41), Verdict::Expire);
    // It was years ahead then: the version can only expire late.
    let young = VersionFacts { last_modified_ms: EPOCH_MS + 1000 * DAY_MS, ..version(10) };
    check(days(30), young, ALONE, (99, 99), Verdict::Keep);
    // The service was down for a month, which does not count.
    check(days(30), version(10), ALONE, (50, 20), WAIT);
    // A commit after the last mark has no age.
    check(days(1), version(98), ALONE, (99 + 30, 98), WAIT);
}

#[test]
fn a_date_takes_effect_once_the_service_has_been_up_until_then() {
    let on = |day: u64| vec![rule(Some(Expiration::Date(EPOCH_MS + day * DAY_MS)))];
    check(on(20), version(10), ALONE, (19, 99), Verdict::Keep);
    check(on(20), version(10), ALONE, (20, 99), Verdict::Expire);
    check(on(20), version(90), ALONE, (99, 99), Verdict::Expire);
    // Set on day 1 by the wall clock, with commit 5. The service has existed for ten days since.
    check(on(20), version(10), ALONE, (20, 15), WAIT);
    // Already in the past when it was set.
    check(on(1), version(10), ALONE, (10, 10), Verdict::Expire);
}

#[test]
fn delete_markers_expire_when_they_hide_nothing() {
    let marker = VersionFacts { is_marker: true, size: 0, ..version(10) };
    let hides = Place::Current { is_alone: false };
    let lone = || vec![rule(Some(Expiration::LoneMarkers))];
    check(lone(), marker, ALONE, (10, 10), Verdict::Remove);
    check(lone(), marker, hides, (99, 99), Verdict::Keep);
    check(lone(), version(10), ALONE, (99, 99), Verdict::Keep);
    let days = || vec![rule(Some(Expiration::Days(3)))];
    check(days(), marker, ALONE, (14, 99), Verdict::Remove);
    check(days(), marker, ALONE, (12, 99), Verdict::Keep);
    check(days(), marker, hides, (99, 99), Verdict::Keep);
}

#[test]
fn replaced_versions_expire_by_the_day_of_their_replacement() {
    let place =
        |newer| Place::Noncurrent { successor: CommitSequence(20), since_ms: EPOCH_MS + 20 * DAY_MS + 1, newer };
    for (wall, expected) in [(22, Verdict::Keep), (23, Verdict::Remove)] {
        check(vec![noncurrent(2, None)], version(10), place(0), (wall, 99), expected);
    }
    check(vec![noncurrent(2, None)], version(10), place(0), (99, 21), WAIT);
    for (newer, expected) in [(0, Verdict::Keep), (1, Verdict::Keep), (2, Verdict::Remove), (7, Verdict::Remove)] {
        check(vec![noncurrent(2, Some(2))], version(10), place(newer), (99, 99), expected);
    }
    let marker = VersionFacts { is_marker: true, size: 0, ..version(10) };
    check(vec![noncurrent(2, None)], marker, place(0), (99, 99), Verdict::Remove);
    check(vec![noncurrent(2, None)], version(10), ALONE, (99, 99), Verdict::Keep);
}

#[test]
fn one_rule_is_enough() {
    let never = rule(Some(Expiration::Days(5000)));
    let soon = rule(Some(Expiration::Days(3)));
    check(vec![never.clone(), soon.clone()], version(10), ALONE, (99, 99), Verdict::Expire);
    check(vec![soon, never], version(10), ALONE, (99, 11), WAIT);
    check(Vec::new(), version(10), ALONE, (99, 99), Verdict::Keep);
}

#[test]
fn uploads_are_aborted_by_the_day_they_began() {
    let abort = lifecycle(vec![Rule { abort_uploads_days: Some(7), ..rule(None) }]);
    let time = lived(50);
    for (key, wall, began, expected) in [
        ("logs/a", 17, 10, Verdict::Keep),
        ("logs/a", 18, 10, Verdict::Remove),
        ("other", 40, 10, Verdict::Keep),
        ("logs/a", 400, 45, WAIT),
    ] {
        let moment = Moment { wall_ms: EPOCH_MS + wall * DAY_MS, service: &time, day: Day::STANDARD };
        let created_ms = EPOCH_MS + began * DAY_MS + 1;
        let got = decide_upload(&abort, key, CommitSequence(began), created_ms, &moment);
        let same = matches!((got, expected), (Verdict::Wait { .. }, Verdict::Wait { .. })) || got == expected;
        assert!(same, "{key} {wall}: {got:?}");
    }
}

#[test]
fn the_earliest_expiry_is_reported() {
    let rules = |expirations: &[Expiration]| -> Vec<Rule> {
        let named = |(n, expiration)| Rule { id: format!("r{n}"), ..rule(Some(expiration)) };
        expirations.iter().copied().enumerate().map(named).collect()
    };
    let date = Expiration::Date(EPOCH_MS + 12 * DAY_MS);
    for (expirations, expected) in [
        (vec![Expiration::Days(3)], Some((14, "r0"))),
        (vec![Expiration::Days(3), date], Some((12, "r1"))),
        (vec![Expiration::Days(3), Expiration::Days(1)], Some((12, "r1"))),
        (vec![Expiration::LoneMarkers], None),
    ] {
        let rules = rules(&expirations);
        let told = expiry(&rules, &version(10), Day::STANDARD).map(|e| ((e.at_ms - EPOCH_MS) / DAY_MS, e.rule));
        assert_eq!(told, expected, "{expirations:?}");
    }
    assert_eq!(expiry(&rules(&[date]), &VersionFacts { key: "x", ..version(10) }, Day::STANDARD), None);
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let expiration = prop_oneof![
        Just(None),
        (1u32..40).prop_map(|days| Some(Expiration::Days(days))),
        (0u64..60).prop_map(|day| Some(Expiration::Date(EPOCH_MS + day * DAY_MS))),
        Just(Some(Expiration::LoneMarkers)),
    ];
    let replaced = proptest::option::of((1u32..40, proptest::option::of(1u32..5)));
    (expiration, replaced, any::<bool>(), prop_oneof![Just(""), Just("logs/"), Just("x")]).prop_map(
        |(expiration, replaced, enabled, prefix)| Rule {
            enabled,
            filter: Filter::of_prefix(prefix),
            noncurrent: replaced.map(|(days, newer_kept)| NoncurrentExpiration { days, newer_kept }),
            ..rule(expiration)
        },
    )
}

fn any_place() -> impl Strategy<Value = Place> {
    prop_oneof![
        any::<bool>().prop_map(|is_alone| Place::Current { is_alone }),
        (12u64..30, 0u32..5).prop_map(|(day, newer)| Place::Noncurrent {
            successor: CommitSequence(day),
            since_ms: EPOCH_MS + day * DAY_MS + 1,
            newer,
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// I20: for any rules and any wall clock, nothing expires that the service has not kept for the days of a rule.
    /// What has expired stays so when the wall clock is later.
    #[test]
    fn no_wall_clock_expires_a_version_early(
        rules in proptest::collection::vec(any_rule(), 0..4),
        place in any_place(),
        is_marker: bool,
        // The rules were set by commit 5.
        service_days in 5u64..70,
        wall_days in 0u64..4000,
        written_ms in prop_oneof![Just(0), Just(EPOCH_MS + 10 * DAY_MS + 1), any::<u32>().prop_map(u64::from)],
    ) {
        let time = lived(service_days);
        let lifecycle = lifecycle(rules);
        let version = VersionFacts { is_marker, last_modified_ms: written_ms, ..version(10) };
        let at = |wall_days: u64| {
            let moment = Moment { wall_ms: EPOCH_MS + wall_days * DAY_MS, service: &time, day: Day::STANDARD };
            decide(&lifecycle, &version, place, &moment)
        };
        let verdict = at(wall_days);
        if matches!(verdict, Verdict::Expire | Verdict::Remove) {
            let lived_days = |since: u64| service_days.saturating_sub(since);
            let allows = |rule: &Rule| rule.enabled && "logs/a".starts_with(rule.filter.prefix()) && match place {
                Place::Current { is_alone } => (!is_marker || is_alone) && match rule.expiration {
                    Some(Expiration::Days(days)) => lived_days(10) >= u64::from(days),
                    Some(Expiration::Date(ms)) => {
                        let set_days = (lifecycle.set_ms - EPOCH_MS) / DAY_MS;
                        lived_days(5) >= ((ms - EPOCH_MS) / DAY_MS).saturating_sub(set_days)
                    }
                    Some(Expiration::LoneMarkers) => is_marker,
                    None => false,
                },
                Place::Noncurrent { successor, newer, .. } => rule.noncurrent.is_some_and(|rule| {
                    newer >= rule.newer_kept.unwrap_or(0) && lived_days(successor.0) >= u64::from(rule.days)
                }),
            };
            prop_assert!(lifecycle.rules.iter().any(allows), "{verdict:?}");
            prop_assert_eq!(at(wall_days + 1), verdict);
        }
    }

    #[test]
    fn rules_read_back(rules in proptest::collection::vec(any_rule(), 0..4)) {
        let mut bytes = Vec::new();
        minicbor::encode(&rules, &mut bytes).unwrap();
        prop_assert_eq!(minicbor::decode::<Vec<Rule>>(&bytes).unwrap(), rules);
    }
}
