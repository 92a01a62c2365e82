use std::collections::BTreeMap;

use cairn_core::version::Versioning;
use cairn_protocol::metadata::command::DeleteObject;
use proptest::prelude::*;

use super::*;
use crate::state::commands::testing::State;

/// A version in a listing: its key, whether it is the newest, and whether it is a marker.
type Line = (String, bool, bool);

fn lines(page: &VersionPage) -> Vec<Line> {
    let line = |v: &ListedVersion| (v.object.key.to_string(), v.is_latest, v.is_marker);
    let prefix = |common: &String| (common.clone(), false, false);
    let mut lines: Vec<Line> = page.versions.iter().map(line).chain(page.common_prefixes.iter().map(prefix)).collect();
    // The sort is stable, so the versions of a key stay in order.
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    lines
}

fn pages(state: &State, prefix: &str, delimiter: &str, limit: u32) -> Vec<Line> {
    let position = VersionPosition::Start;
    let (prefix, delimiter) = (prefix.to_owned(), delimiter.to_owned());
    let mut query = ListVersions { bucket: state.bucket(), prefix, delimiter, position, limit };
    let mut all = Vec::new();
    loop {
        let page = list_versions(&state.view(), &query).unwrap();
        let lines = lines(&page);
        assert!(lines.len() <= limit as usize);
        assert!(page.next.is_none() || lines.len() == limit as usize, "only a full page has a next");
        all.extend(lines);
        match page.next {
            Some(next) => query.position = next,
            None => return all,
        }
    }
}

fn versioned(versioning: Versioning) -> State {
    let state = State::with_bucket();
    state.set_versioning(versioning);
    state
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn all_pages_together_are_the_listing(
        writes in proptest::collection::vec(("[ab/é]{1,3}", any::<bool>()), 0..24),
        prefix in "[ab/]{0,2}",
        delimiter in prop_oneof![Just(""), Just("/"), Just("b/")],
        limit in 1u32..5,
    ) {
        let state = versioned(Versioning::Enabled);
        let mut model: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        for (key, deletes) in &writes {
            if *deletes {
                state.delete(key);
            } else {
                state.apply(state.commit(key, None)).unwrap();
            }
            let of_key = model.entry(key.clone()).or_default();
            for line in of_key.iter_mut() {
                line.1 = false;
            }
            of_key.insert(0, (key.clone(), true, *deletes));
        }
        let mut expected: Vec<Line> = Vec::new();
        for (key, of_key) in model.iter().filter(|(key, _)| key.starts_with(&prefix)) {
            match common_prefix(key.as_bytes(), prefix.as_bytes(), delimiter) {
                Some(common) => {
                    let line = (String::from_utf8(common.to_vec()).unwrap(), false, false);
                    if expected.last() != Some(&line) {
                        expected.push(line);
                    }
                }
                None => expected.extend(of_key.iter().cloned()),
            }
        }
        prop_assert_eq!(pages(&state, &prefix, delimiter, limit), expected);
    }
}

/// A client that deletes what it has listed and continues sees everything once.
#[test]
fn a_listing_continues_after_deleted_versions() {
    let state = versioned(Versioning::Enabled);
    for key in ["a", "a", "b"] {
        state.put(key, 10);
    }
    state.set_versioning(Versioning::Suspended);
    state.put("a", 10);
    state.set_versioning(Versioning::Enabled);
    state.delete("a");
    let (prefix, delimiter) = (String::new(), String::new());
    let mut query =
        ListVersions { bucket: state.bucket(), prefix, delimiter, position: VersionPosition::Start, limit: 1 };
    let mut seen = Vec::new();
    loop {
        let page = list_versions(&state.view(), &query).unwrap();
        for version in page.versions {
            seen.push((version.object.key.to_string(), version.id == VersionId::Null, version.is_marker));
            let key = version.object.key;
            let delete = DeleteObject { version: Some(version.id), ..state.deletion(key.as_str()) };
            state.apply(delete).unwrap();
        }
        match page.next {
            Some(next) => query.position = next,
            None => break,
        }
    }
    let expected =
        [("a", false, true), ("a", true, false), ("a", false, false), ("a", false, false), ("b", false, false)];
    assert_eq!(seen, expected.map(|(key, null, marker)| (key.to_owned(), null, marker)));
    assert_eq!(state.usage(), (0, 0, 0));
}

#[test]
fn a_null_marker_is_a_position_while_that_version_exists() {
    let state = State::with_bucket();
    state.put("a", 10);
    state.set_versioning(Versioning::Enabled);
    state.put("a", 20);
    state.put("b", 30);
    let from = |position| {
        let (prefix, delimiter) = (String::new(), String::new());
        let query = ListVersions { bucket: state.bucket(), prefix, delimiter, position, limit: 10 };
        let page = list_versions(&state.view(), &query).unwrap();
        page.versions.iter().map(|v| (v.object.size, v.is_latest)).collect::<Vec<_>>()
    };
    let after_null = || VersionPosition::AfterVersion("a".into(), VersionId::Null);
    assert_eq!(from(VersionPosition::Start), [(20, true), (10, false), (30, true)]);
    assert_eq!(from(VersionPosition::After("a".into())), [(30, true)]);
    assert_eq!(from(after_null()), [(30, true)]);
    state.apply(DeleteObject { version: Some(VersionId::Null), ..state.deletion("a") }).unwrap();
    assert_eq!(from(after_null()), [(20, true), (30, true)]);
}
