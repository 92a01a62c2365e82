//! See [`ApplyLifecycle`].

use cairn_core::id::BucketId;
use cairn_protocol::metadata::command::{ApplyLifecycle, EndedUpload, EndedVersion, LifecycleApplied};
use cairn_protocol::metadata::{Outcome, Rejection};

use super::{Context, abort_upload, release};
use crate::error::{Refused, StoreError};
use crate::tables::reclaim::Garbage;
use crate::tables::usage::Change;
use crate::tables::versions::VersionRow;
use crate::tables::{Row, Tables, lifecycle, uploads, usage, versions};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ApplyLifecycle, context: Context) -> Result<Outcome, Refused> {
    let revision = lifecycle::revision(&tables.lifecycle, command.bucket)?;
    if revision != Some(command.revision) {
        return Err(Rejection::Stale(format!("bucket {} has other lifecycle rules by now", command.bucket)).into());
    }
    let mut applied = LifecycleApplied::default();
    let mut item = 0;
    for version in &command.versions {
        if let Some(row) = remove(tables, command.bucket, version)? {
            release::release(tables, context, item, Garbage::of(row.content))?;
            applied.versions += 1;
            applied.bytes += row.size;
        }
        item += 1;
    }
    for EndedUpload { key, upload } in &command.uploads {
        if uploads::exists(&tables.uploads, command.bucket, key, *upload)? {
            abort_upload::remove(tables, command.bucket, key, *upload, (context, item))?;
            applied.uploads += 1;
        }
        item += 1;
    }
    let change = Change { objects: -(applied.versions as i64), bytes: -(applied.bytes as i64), uploads: 0 };
    usage::add(&mut tables.usage, command.bucket, change)?;
    Ok(Outcome::LifecycleApplied(applied))
}

/// Removes the row of a version that is still what it was; nothing if it is not.
fn remove(tables: &mut Tables<'_>, bucket: BucketId, version: &EndedVersion) -> Result<Option<VersionRow>, StoreError> {
    let key = version.key.as_str().as_bytes();
    if version.is_current {
        let newest = versions::newest(&tables.versions, bucket, key)?;
        if newest.is_none_or(|(sequence, _)| sequence != version.sequence) {
            return Ok(None);
        }
    }
    let row = tables.versions.remove(versions::key(bucket, key, version.sequence))?;
    row.map(|row| VersionRow::read(row.value())).transpose()
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::name::ObjectKey;
    use cairn_protocol::metadata::command::{
        ApplyLifecycle, EndedUpload, EndedVersion, LifecycleApplied, SetLifecycle,
    };
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::commands::testing::{State, expire_all};
    use crate::tables::lifecycle;
    use crate::tables::reclaim::Garbage;

    fn state_with_rules() -> (State, ApplyLifecycle) {
        let state = State::with_bucket();
        state.apply(SetLifecycle { bucket: state.bucket(), rules: vec![expire_all(1)], now_ms: 0 }).unwrap();
        let bucket = state.bucket_id(&state.bucket());
        let revision = lifecycle::revision(&state.view().lifecycle().unwrap(), bucket).unwrap().unwrap();
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
    fn what_has_ended_goes_once_and_what_was_written_since_stays() {
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
        // I19: an overwrite that was acknowledged meanwhile wins.
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
    fn a_deletion_and_a_completion_win() {
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
    fn only_the_rules_that_are_in_force_let_anything_go() {
        let (state, empty) = state_with_rules();
        state.put("a", 100);
        let command = ApplyLifecycle { versions: vec![ended(&state, "a")], ..empty };
        let older = ApplyLifecycle { revision: CommitSequence(1), ..command.clone() };
        assert!(matches!(state.refused(older), Rejection::Stale(_)));
        state.apply(SetLifecycle { bucket: state.bucket(), rules: vec![expire_all(9)], now_ms: 0 }).unwrap();
        assert!(matches!(state.refused(command.clone()), Rejection::Stale(_)));
        state.apply(SetLifecycle { bucket: state.bucket(), rules: Vec::new(), now_ms: 0 }).unwrap();
        assert!(matches!(state.refused(command), Rejection::Stale(_)));
        assert_eq!(state.usage(), (1, 100, 0));
    }
}
