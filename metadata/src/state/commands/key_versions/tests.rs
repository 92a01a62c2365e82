use cairn_protocol::metadata::command::{CommitObject, DeleteBucket, DeleteObject, ObjectDeleted, Precondition};
use cairn_protocol::metadata::command::{ObjectCommitted, SetBucketSetting, SettingChange};
use cairn_protocol::metadata::{ExtentRun, Outcome, Rejection};
use proptest::prelude::*;

use super::*;
use crate::state::commands::testing::State;
use crate::state::tables::AllVersions;

fn put(state: &State, key: &str, size: u64) -> (ExtentRun, Option<VersionId>) {
    let body = state.body(size);
    match state.apply(state.commit(key, Some(body.clone()))).unwrap() {
        Outcome::ObjectCommitted(ObjectCommitted { version, .. }) => (body.run, version),
        other => panic!("{other:?}"),
    }
}

fn delete(state: &State, key: &str, version: Option<VersionId>) -> ObjectDeleted {
    match state.apply(DeleteObject { version, ..state.deletion(key) }).unwrap() {
        Outcome::ObjectDeleted(deleted) => deleted,
        other => panic!("{other:?}"),
    }
}

fn size(state: &State, key: &str) -> Option<u64> {
    state.newest(key).map(|(_, row)| row.size)
}

#[test]
fn markers_hide_a_key_and_their_removal_shows_it() {
    let state = State::with_bucket();
    let (_, none) = put(&state, "a", 1);
    assert_eq!(none, None, "a bucket that was never versioned gives no ids");
    state.set_versioning(Versioning::Enabled);
    let (_, first) = put(&state, "a", 2);
    assert_eq!((state.usage(), state.reclaim().len()), ((2, 3, 0), 0), "nothing is released");
    let marker = delete(&state, "a", None);
    assert!(marker.existed && marker.is_marker);
    assert_eq!((size(&state, "a"), state.usage()), (None, (2, 3, 0)), "delete markers do not count");
    let second = delete(&state, "a", None);
    assert!(!second.existed && second.is_marker && second.version != marker.version);
    assert_eq!(delete(&state, "a", marker.version), ObjectDeleted { existed: true, ..marker.clone() });
    assert_eq!(size(&state, "a"), None, "one marker is left");
    delete(&state, "a", second.version);
    assert_eq!(size(&state, "a"), Some(2));
    let gone = delete(&state, "a", marker.version);
    assert_eq!((gone.existed, gone.is_marker), (false, false), "a repetition is no error");
    delete(&state, "a", first);
    assert_eq!(size(&state, "a"), Some(1), "the null version from before exists");
    delete(&state, "a", Some(VersionId::Null));
    assert_eq!((size(&state, "a"), state.usage(), state.reclaim().len()), (None, (0, 0, 0), 2));
    assert_eq!(state.apply(DeleteBucket { name: state.bucket(), revision: None }), Ok(Outcome::Done));
}

#[test]
fn a_suspended_bucket_has_one_null_version() {
    let state = State::with_bucket();
    let (old, _) = put(&state, "a", 1);
    state.set_versioning(Versioning::Enabled);
    let (_, kept) = put(&state, "a", 2);
    state.set_versioning(Versioning::Suspended);
    let (second, null) = put(&state, "a", 4);
    assert_eq!(null, Some(VersionId::Null));
    assert_eq!((state.reclaim_runs(), state.usage()), (vec![old], (2, 6, 0)));
    let marker = delete(&state, "a", None);
    assert_eq!((marker.version, marker.is_marker), (Some(VersionId::Null), true));
    assert_eq!((state.reclaim_runs(), state.usage(), size(&state, "a")), (vec![old, second], (1, 2, 0), None));
    // The null version keeps its place when versioning is enabled again, with others above it.
    state.set_versioning(Versioning::Enabled);
    put(&state, "a", 8);
    state.set_versioning(Versioning::Suspended);
    put(&state, "a", 16);
    assert_eq!((size(&state, "a"), state.usage()), (Some(16), (3, 26, 0)));
    delete(&state, "a", Some(VersionId::Null));
    assert_eq!(size(&state, "a"), Some(8));
    assert!(delete(&state, "a", kept).existed);
    assert_eq!(state.usage(), (1, 8, 0));
    assert_eq!(state.refused(DeleteBucket { name: state.bucket(), revision: None }), Rejection::BucketNotEmpty);
}

#[test]
fn preconditions_see_what_clients_see() {
    let state = State::with_bucket();
    state.set_versioning(Versioning::Enabled);
    let (_, first) = put(&state, "a", 1);
    let absent = Precondition { must_not_exist: true, ..Precondition::default() };
    let create = |size| CommitObject { precondition: absent.clone(), ..state.commit("a", Some(state.body(size))) };
    assert_eq!(state.refused(create(2)), Rejection::PreconditionFailed);
    delete(&state, "a", None);
    state.apply(create(2)).unwrap();
    let other = Precondition { if_match: vec![ETag::single([9; 16])], ..Precondition::default() };
    let named = DeleteObject { version: first, precondition: other, ..state.deletion("a") };
    assert_eq!(state.refused(named), Rejection::PreconditionFailed);
    let change = SettingChange::Versioning(Versioning::Unversioned);
    let unversioned = SetBucketSetting { bucket: state.bucket(), change, revision: None, now_ms: 0 };
    assert!(matches!(state.refused(unversioned), Rejection::InvalidSetting(_)));
}

#[test]
fn repeated_commands_name_the_version_that_they_made() {
    let state = State::with_bucket();
    state.set_versioning(Versioning::Enabled);
    let commit = state.commit("a", Some(state.body(10)));
    let first = state.apply(commit.clone()).unwrap();
    let upload = state.create_upload("a");
    state.put_part("a", upload, 1, 9);
    let complete = state.completion("a", upload, &[1]);
    let completed = state.apply(complete.clone()).unwrap();
    put(&state, "a", 1);
    delete(&state, "a", None);
    assert_eq!(state.apply(commit), Ok(first));
    assert_eq!(state.apply(complete), Ok(completed));
    assert_eq!(state.usage(), (3, 20, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Set(Versioning),
    Put(u64),
    Delete,
    /// Deletes the version at this place of the listing.
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::Set(Versioning::Enabled)),
        1 => Just(Step::Set(Versioning::Suspended)),
        4 => (1u64..100).prop_map(Step::Put),
        2 => Just(Step::Delete),
        2 => (0usize..6).prop_map(Step::Remove),
    ]
}

/// A version in the model: its id, and its size or `None` for a marker.
type Line = (VersionId, Option<u64>);

/// S3's rules on a plain list, newest version first.
#[derive(Default)]
struct Model {
    versioning: Versioning,
    lines: Vec<Line>,
}

impl Model {
    fn write(&mut self, id: Option<VersionId>, size: Option<u64>) {
        match self.versioning {
            Versioning::Unversioned if size.is_none() => self.lines.clear(),
            Versioning::Unversioned => self.lines = vec![(VersionId::Null, size)],
            Versioning::Enabled => self.lines.insert(0, (id.unwrap(), size)),
            Versioning::Suspended => {
                self.lines.retain(|(id, _)| *id != VersionId::Null);
                self.lines.insert(0, (VersionId::Null, size));
            }
        }
    }
}

fn lines(state: &State) -> Vec<Line> {
    let rows = AllVersions::all(&state.view()).unwrap().map(|entry| {
        let (place, row) = entry.unwrap();
        let row = VersionRow::read(row.value()).unwrap();
        let size = (!row.kind.is_marker()).then_some(row.size);
        (row.kind.id(CommitSequence(!place.value().2)), size)
    });
    rows.collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn the_tables_behave_like_a_list_of_versions(steps in proptest::collection::vec(step(), 1..40)) {
        let state = State::with_bucket();
        let mut model = Model::default();
        for step in steps {
            match step {
                Step::Set(versioning) => {
                    state.set_versioning(versioning);
                    model.versioning = versioning;
                }
                Step::Put(size) => {
                    let (_, id) = put(&state, "a", size);
                    model.write(id, Some(size));
                }
                Step::Delete => {
                    let id = delete(&state, "a", None).version;
                    model.write(id, None);
                }
                Step::Remove(at) if at < model.lines.len() => {
                    let (id, size) = model.lines.remove(at);
                    let deleted = delete(&state, "a", Some(id));
                    prop_assert_eq!((deleted.existed, deleted.is_marker), (true, size.is_none()));
                }
                Step::Remove(_) => {}
            }
            prop_assert_eq!(lines(&state), model.lines.clone());
            let newest = model.lines.first().and_then(|(_, size)| *size);
            prop_assert_eq!(size(&state, "a"), newest, "what is current is what is newest");
            let sizes: Vec<u64> = model.lines.iter().filter_map(|(_, size)| *size).collect();
            prop_assert_eq!(state.usage(), (sizes.len() as u64, sizes.iter().sum(), 0));
            let nulls = model.lines.iter().filter(|(id, _)| *id == VersionId::Null).count();
            prop_assert!(nulls <= 1);
            let is_elsewhere = model.lines.first().is_none_or(|(id, size)| *id != VersionId::Null || size.is_none());
            let indexed = redb::ReadableTableMetadata::len(&state.view().null_versions().unwrap()).unwrap();
            prop_assert_eq!(indexed, u64::from(nulls == 1 && is_elsewhere));
        }
    }
}
