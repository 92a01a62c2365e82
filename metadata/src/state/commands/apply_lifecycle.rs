//! See [`ApplyLifecycle`].

use crate::state::stored::ApplyLifecycle;
use cairn_protocol::metadata::command::{EndedUpload, EndedVersion, LifecycleApplied};
use cairn_protocol::metadata::settings::SettingKind;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::abort_upload;
use super::context::Context;
use super::key_versions::KeyVersions;
use crate::error::{Refused, StoreError};
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::noncurrent::Found;
use crate::state::tables::usage::Change;
use crate::state::tables::{Tables, buckets, uploads, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ApplyLifecycle, context: Context) -> Result<Outcome, Refused> {
    let row = match buckets::get(&tables.buckets, &command.bucket) {
        Ok(row) => Some(row),
        Err(Refused::Rejected(Rejection::NoSuchBucket)) => None,
        Err(other) => return Err(other),
    };
    let in_force = row.filter(|row| row.document(SettingKind::LIFECYCLE) == Some(command.revision));
    let Some(row) = in_force else {
        return Err(Rejection::Stale(format!("bucket {} has other lifecycle rules by now", command.bucket)).into());
    };
    let mut applied = LifecycleApplied::default();
    let mut change = Change::default();
    let mut item = 0;
    for version in &command.versions {
        if let Some(gone) = end(tables, &row, version, (context, item))? {
            applied.versions += 1;
            change.objects += gone.objects;
            change.bytes += gone.bytes;
        }
        item += 1;
    }
    applied.bytes = change.bytes.unsigned_abs();
    for EndedUpload { key, upload } in &command.uploads {
        if uploads::exists(&tables.uploads, row.id, key, *upload)? {
            abort_upload::remove(tables, row.id, key, *upload, context, item)?;
            applied.uploads += 1;
        }
        item += 1;
    }
    usage::add(&mut tables.usage, row.id, change)?;
    Ok(Outcome::LifecycleApplied(applied))
}

/// Removes a version that is unchanged; `None` if it has changed.
fn end(
    tables: &mut Tables<'_>,
    bucket: &BucketRow,
    version: &EndedVersion,
    release: (Context, u32),
) -> Result<Option<Change>, StoreError> {
    let key = KeyVersions::of(bucket, version.key.as_str().as_bytes());
    if !version.is_current {
        let Some(found) = noncurrent(tables, &key, version)? else { return Ok(None) };
        return key.remove(tables, release, found).map(Some);
    }
    let current = key.current(tables)?.filter(|(sequence, _)| *sequence == version.sequence);
    let Some((sequence, row)) = current else { return Ok(None) };
    if key.is_versioned() {
        return Ok(Some(key.put_marker(tables, release, Some((sequence, row)))?.change));
    }
    key.remove(tables, release, Found { sequence, row, is_current: true }).map(Some)
}

/// The noncurrent version, if removing it brings back nothing that it hides or that replaced it: newer versions may
/// have been deleted since.
fn noncurrent(tables: &Tables<'_>, key: &KeyVersions<'_>, version: &EndedVersion) -> Result<Option<Found>, StoreError> {
    let Some(found) = key.noncurrent(tables, version.sequence)? else { return Ok(None) };
    let is_newest = key.current(tables)?.is_none()
        && key.newest_noncurrent(tables)?.is_some_and(|(sequence, _)| sequence == version.sequence);
    let hides = is_newest && key.has_others(tables)?;
    Ok(Some(found).filter(|_| !hides))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::name::ObjectKey;
    use cairn_core::version::{VersionId, Versioning};
    use cairn_protocol::metadata::command::{ApplyLifecycle, EndedUpload, EndedVersion, LifecycleApplied};
    use cairn_protocol::metadata::settings::SettingKind;
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::{State, expire_all};
    use crate::state::tables::buckets;
    use crate::state::tables::reclaim::Garbage;

    fn state_with_rules() -> (State, ApplyLifecycle) {
        let state = State::with_bucket();
        state.set_lifecycle(&[expire_all(1)]);
        let bucket = state.bucket();
        let row = buckets::get(&state.view().buckets().unwrap(), &bucket).unwrap();
        let revision = row.document(SettingKind::LIFECYCLE).unwrap();
        (state, ApplyLifecycle { bucket, revision, versions: Vec::new(), uploads: Vec::new() })
    }

    fn ended(state: &State, key: &str) -> EndedVersion {
        let sequence = state.newest(key).unwrap().0;
        EndedVersion { key: ObjectKey::new(key).unwrap(), sequence, is_current: true }
    }

    fn applied(versions: u64, bytes: u64, uploads: u64) -> Outcome {
        Outcome::LifecycleApplied(LifecycleApplied { versions, bytes, uploads })
    }

    #[test]
    fn ended_versions_are_removed_once_and_later_writes_stay() {
        let (state, empty) = state_with_rules();
        let (a, _, c) = (state.put("a", 100), state.put("b", 20), state.put("c", 3));
        let uploads: Vec<_> = ["u", "v"].map(|key| (key, state.create_upload(key))).into();
        state.put_part("u", uploads[0].1, 1, 10);
        let upload = |(key, upload): &(&str, _)| EndedUpload { key: ObjectKey::new(key).unwrap(), upload: *upload };
        let command = ApplyLifecycle {
            versions: vec![ended(&state, "a"), ended(&state, "b"), ended(&state, "c")],
            uploads: uploads.iter().map(upload).collect(),
            ..empty
        };
        // I19: an overwrite acknowledged in the meantime wins.
        let overwritten = state.put("b", 7);
        let before = state.reclaim().len();
        assert_eq!(state.apply(command.clone()), Ok(applied(2, 103, 2)));
        assert_eq!(state.usage(), (1, 7, 0));
        assert_eq!((state.newest("a"), state.newest("c")), (None, None));
        assert_eq!(state.newest("b").unwrap().1.size, 7);
        assert_eq!(state.located(&overwritten.run), overwritten.run.count());
        let garbage: Vec<_> = state.reclaim()[before..].iter().map(|(_, row)| row.garbage).collect();
        assert_eq!(garbage, [Garbage::Run(a.run), Garbage::Run(c.run), Garbage::Parts(uploads[0].1)]);
        assert_eq!(state.apply(command), Ok(applied(0, 0, 0)), "again, it finds nothing");
        assert_eq!((state.usage(), state.reclaim().len()), ((1, 7, 0), before + 3));
    }

    #[test]
    fn a_deletion_and_a_completion_win_over_lifecycle() {
        let (state, empty) = state_with_rules();
        state.put("a", 100);
        let upload = state.create_upload("u");
        state.put_part("u", upload, 1, 10);
        let ended_upload = EndedUpload { key: ObjectKey::new("u").unwrap(), upload };
        let command = ApplyLifecycle { versions: vec![ended(&state, "a")], uploads: vec![ended_upload], ..empty };
        state.delete("a");
        state.apply(state.completion("u", upload, &[1])).unwrap();
        assert_eq!(state.apply(command), Ok(applied(0, 0, 0)));
        assert_eq!(state.usage(), (1, 10, 0));
    }

    #[test]
    fn a_marker_ends_the_current_version_in_a_versioned_bucket() {
        let (state, empty) = state_with_rules();
        state.set_versioning(Versioning::Enabled);
        state.put("a", 100);
        let first = ended(&state, "a");
        let command = ApplyLifecycle { versions: vec![first.clone()], ..empty.clone() };
        assert_eq!(state.apply(command.clone()), Ok(applied(1, 0, 0)));
        assert_eq!(state.apply(command), Ok(applied(0, 0, 0)), "again, it finds nothing");
        assert_eq!((state.newest("a"), state.usage(), state.reclaim().len()), (None, (1, 100, 0), 0));
        let noncurrent = EndedVersion { is_current: false, ..first };
        let command = ApplyLifecycle { versions: vec![noncurrent], ..empty };
        assert_eq!(state.apply(command), Ok(applied(1, 100, 0)));
        assert_eq!(state.usage(), (0, 0, 0));
    }

    /// A version that was seen as replaced may be the newest by now, and what a marker hides must not come back.
    #[test]
    fn no_hidden_version_comes_back_and_no_current_version_is_removed() {
        let (state, empty) = state_with_rules();
        state.set_versioning(Versioning::Enabled);
        state.put("a", 100);
        let first = EndedVersion { is_current: false, ..ended(&state, "a") };
        let remove = |version: &EndedVersion| ApplyLifecycle { versions: vec![version.clone()], ..empty.clone() };
        assert_eq!(state.apply(remove(&first)), Ok(applied(0, 0, 0)), "it is the current one");
        let Ok(Outcome::ObjectDeleted(deleted)) = state.apply(state.deletion("a")) else { panic!("a marker is made") };
        let Some(VersionId::Commit(sequence)) = deleted.version else { panic!("{deleted:?}") };
        let marker = EndedVersion { sequence, ..first.clone() };
        assert_eq!(state.apply(remove(&marker)), Ok(applied(0, 0, 0)), "it hides a version");
        assert_eq!(state.newest("a"), None);
        assert_eq!(state.apply(remove(&first)), Ok(applied(1, 100, 0)));
        assert_eq!(state.apply(remove(&marker)), Ok(applied(1, 0, 0)), "it is alone");
    }

    #[test]
    fn only_the_rules_in_force_remove_anything() {
        let (state, empty) = state_with_rules();
        state.put("a", 100);
        let command = ApplyLifecycle { versions: vec![ended(&state, "a")], ..empty };
        let older = ApplyLifecycle { revision: CommitSequence(1), ..command.clone() };
        assert!(matches!(state.refused(older), Rejection::Stale(_)));
        state.set_lifecycle(&[expire_all(9)]);
        assert!(matches!(state.refused(command.clone()), Rejection::Stale(_)));
        state.set_lifecycle(&[]);
        assert!(matches!(state.refused(command), Rejection::Stale(_)));
        assert_eq!(state.usage(), (1, 100, 0));
    }
}
