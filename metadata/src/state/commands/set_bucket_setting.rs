//! See [`SetBucketSetting`].

use crate::state::stored::SetBucketSetting;
use cairn_core::limits::LIFECYCLE_RULES_MAX;
use cairn_core::version::Versioning;
use cairn_protocol::metadata::command::SettingChange;
use cairn_protocol::metadata::settings::{DOCUMENT_BYTES_MAX, SettingDocument, SettingKind, read_lifecycle};
use cairn_protocol::metadata::{Outcome, Rejection};

use super::context::Context;
use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::bucket_settings::{self, Setting};
use crate::state::tables::{Tables, buckets};

pub(super) fn apply(tables: &mut Tables<'_>, command: &SetBucketSetting, context: Context) -> Result<Outcome, Refused> {
    let name = &command.bucket;
    let mut bucket = buckets::get(&tables.buckets, name)?;
    if name.is_system() {
        return Err(Rejection::InvalidSetting(format!("the bucket {name} has no settings")).into());
    }
    check_revision(&bucket, command.revision)?;
    let revision = context.sequence;
    match &command.change {
        SettingChange::Versioning(Versioning::Unversioned) => {
            let why = "versioning is enabled or suspended, and never taken back".to_owned();
            return Err(Rejection::InvalidSetting(why).into());
        }
        SettingChange::Versioning(versioning) => bucket.versioning = *versioning,
        SettingChange::Document(kind, Some(document)) => {
            check_document(*kind, document)?;
            let set_ms = command.now_ms.min(context.now_ms);
            let setting = Setting { revision, set_ms, document: document.clone() };
            bucket_settings::put(&mut tables.bucket_settings, name, *kind, &setting)?;
            bucket.stamp(*kind, Some(revision));
        }
        SettingChange::Document(kind, None) => {
            bucket_settings::remove(&mut tables.bucket_settings, name, *kind)?;
            bucket.stamp(*kind, None);
        }
    }
    bucket.revision = revision;
    buckets::put(&mut tables.buckets, name, &bucket)?;
    Ok(Outcome::BucketSettingSet(bucket.into()))
}

/// Refuses a document that the leader's jobs could not go by.
fn check_document(kind: SettingKind, document: &SettingDocument) -> Result<(), Rejection> {
    if document.bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(Rejection::LimitReached(format!("{DOCUMENT_BYTES_MAX} bytes in a setting of a bucket")));
    }
    if kind == SettingKind::LIFECYCLE {
        let rules = read_lifecycle(document).map_err(|error| Rejection::InvalidSetting(error.to_string()))?;
        if rules.len() > LIFECYCLE_RULES_MAX {
            return Err(Rejection::LimitReached(format!("{LIFECYCLE_RULES_MAX} lifecycle rules in a bucket")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::name::BucketName;
    use cairn_protocol::metadata::command::{DeleteBucket, SetBucketSetting};
    use cairn_protocol::metadata::settings::{BucketRecord, lifecycle_document};

    use super::*;
    use crate::state::commands::testing::{State, expire_all};

    fn set(state: &State, change: SettingChange) -> SetBucketSetting {
        SetBucketSetting { bucket: state.bucket(), change, revision: None, now_ms: 500 }
    }

    fn record(state: &State) -> BucketRecord {
        buckets::get(&state.view().buckets().unwrap(), &state.bucket()).unwrap().into()
    }

    fn stored(state: &State, kind: SettingKind) -> Option<Setting> {
        bucket_settings::get(&state.view().bucket_settings().unwrap(), &state.bucket(), kind).unwrap()
    }

    #[test]
    fn every_change_of_any_setting_gives_the_bucket_a_new_revision() {
        let state = State::with_bucket();
        let rules = |days| Some(lifecycle_document(&[expire_all(days)]));
        let other = || Some(SettingDocument { format: 9, bytes: vec![0xff; 10] });
        let mut known = record(&state).revision;
        for change in [
            SettingChange::Versioning(Versioning::Enabled),
            SettingChange::Versioning(Versioning::Suspended),
            SettingChange::Document(SettingKind::LIFECYCLE, rules(1)),
            SettingChange::Document(SettingKind::LIFECYCLE, rules(1)),
            SettingChange::Document(SettingKind(200), other()),
            SettingChange::Document(SettingKind::LIFECYCLE, None),
            SettingChange::Document(SettingKind(200), None),
        ] {
            let Ok(Outcome::BucketSettingSet(answered)) = state.apply(set(&state, change.clone())) else { panic!() };
            assert_eq!(answered, record(&state), "{change:?}");
            assert!(answered.revision > known, "{change:?}");
            known = answered.revision;
            if let SettingChange::Document(kind, document) = change {
                let setting = stored(&state, kind);
                assert_eq!(answered.document(kind), document.as_ref().map(|_| known));
                assert_eq!(setting, document.map(|document| Setting { revision: known, set_ms: 500, document }));
            }
        }
        assert_eq!((record(&state).versioning, record(&state).documents), (Versioning::Suspended, Vec::new()));
    }

    #[test]
    fn a_bucket_that_is_made_again_has_another_revision_and_no_settings() {
        let state = State::with_bucket();
        let first = record(&state);
        let document = Some(lifecycle_document(&[expire_all(3)]));
        let late = SetBucketSetting {
            now_ms: u64::MAX,
            ..set(&state, SettingChange::Document(SettingKind::LIFECYCLE, document))
        };
        state.apply(late).unwrap();
        assert!(stored(&state, SettingKind::LIFECYCLE).unwrap().set_ms < u64::MAX, "the earlier clock counts");
        state.apply(DeleteBucket { name: state.bucket(), revision: None }).unwrap();
        assert_eq!(stored(&state, SettingKind::LIFECYCLE), None);
        let gone = state.refused(set(&state, SettingChange::Versioning(Versioning::Enabled)));
        assert_eq!(gone, Rejection::NoSuchBucket);
        state.create_bucket();
        let second = record(&state);
        assert!(second.id > first.id && second.revision > first.revision, "{first:?} {second:?}");
        assert_eq!((second.versioning, second.documents), (Versioning::Unversioned, Vec::new()));
    }

    #[test]
    fn a_setting_that_cannot_be_in_force_leaves_no_trace() {
        let state = State::with_bucket();
        let lifecycle = |document| set(&state, SettingChange::Document(SettingKind::LIFECYCLE, Some(document)));
        let many = lifecycle_document(&vec![expire_all(1); LIFECYCLE_RULES_MAX + 1]);
        assert!(matches!(state.refused(lifecycle(many)), Rejection::LimitReached(_)));
        let unreadable = SettingDocument { format: 1, bytes: vec![0xff] };
        assert!(matches!(state.refused(lifecycle(unreadable)), Rejection::InvalidSetting(_)));
        let large = SettingDocument { format: 1, bytes: vec![0; DOCUMENT_BYTES_MAX + 1] };
        let large = set(&state, SettingChange::Document(SettingKind(200), Some(large)));
        assert!(matches!(state.refused(large), Rejection::LimitReached(_)));
        let back = set(&state, SettingChange::Versioning(Versioning::Unversioned));
        assert!(matches!(state.refused(back), Rejection::InvalidSetting(_)));
        let system = SetBucketSetting {
            bucket: BucketName::system(),
            ..set(&state, SettingChange::Versioning(Versioning::Enabled))
        };
        assert!(matches!(state.refused(system), Rejection::InvalidSetting(_)));
        assert_eq!(record(&state).versioning, Versioning::Unversioned);
    }

    #[test]
    fn a_change_that_was_decided_under_another_revision_is_refused_with_the_record_in_force() {
        let state = State::with_bucket();
        let enable =
            |revision| SetBucketSetting { revision, ..set(&state, SettingChange::Versioning(Versioning::Enabled)) };
        let seen = record(&state).revision;
        state.apply(enable(Some(seen))).unwrap();
        assert_eq!(state.refused(enable(Some(seen))), Rejection::StaleSettings(record(&state)));
        let never = Some(CommitSequence(u64::MAX));
        assert_eq!(state.refused(enable(never)), Rejection::StaleSettings(record(&state)));
        state.apply(enable(Some(record(&state).revision))).unwrap();
    }
}
