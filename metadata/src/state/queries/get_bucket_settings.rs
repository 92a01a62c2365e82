//! See [`GetBucketSettings`].

use cairn_protocol::metadata::query::{BucketSettings, GetBucketSettings, StampedDocument};

use crate::error::{Refused, StoreError};
use crate::state::tables::{View, bucket_settings, buckets};

/// `None` if the asker knows them.
pub(super) fn get_bucket_settings(view: &View, query: &GetBucketSettings) -> Result<Option<BucketSettings>, Refused> {
    let bucket = buckets::get(&view.buckets()?, &query.bucket)?;
    if query.known == Some(bucket.revision) {
        return Ok(None);
    }
    // Whoever knows a later revision has it from a state that is not this one's past: it gets everything.
    let known = query.known.filter(|known| *known < bucket.revision);
    let mut documents = Vec::new();
    for stamp in bucket.documents.iter().filter(|stamp| known.is_none_or(|known| stamp.revision > known)) {
        let setting = bucket_settings::get(&view.bucket_settings()?, &query.bucket, stamp.kind)?;
        let setting = setting.filter(|setting| setting.revision == stamp.revision).ok_or_else(|| {
            let detail = format!("document {} of bucket {} is not the one in its record", stamp.kind.0, query.bucket);
            StoreError::Damaged { table: "bucket_settings", detail }
        })?;
        let (kind, revision) = (stamp.kind, stamp.revision);
        documents.push(StampedDocument { kind, revision, document: setting.document });
    }
    Ok(Some(BucketSettings { record: bucket.into(), documents }))
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_core::version::Versioning;
    use cairn_protocol::metadata::command::{SetBucketSetting, SettingChange};
    use cairn_protocol::metadata::settings::{SettingDocument, SettingKind};

    use super::*;
    use crate::state::commands::testing::State;

    fn set(state: &State, kind: u8, bytes: Option<&[u8]>) {
        let document = bytes.map(|bytes| SettingDocument { format: 1, bytes: bytes.to_vec() });
        let change = SettingChange::Document(SettingKind(kind), document);
        state.apply(SetBucketSetting { bucket: state.bucket(), change, revision: None, now_ms: 0 }).unwrap();
    }

    /// A document's kind and bytes.
    type Sent = (u8, Vec<u8>);

    fn ask(state: &State, known: Option<CommitSequence>) -> Option<(CommitSequence, Vec<Sent>)> {
        let settings =
            get_bucket_settings(&state.view(), &GetBucketSettings { bucket: state.bucket(), known }).unwrap()?;
        let documents = settings.documents.into_iter().map(|stamped| (stamped.kind.0, stamped.document.bytes));
        Some((settings.record.revision, documents.collect()))
    }

    #[test]
    fn only_what_the_asker_does_not_know_is_sent() {
        let state = State::with_bucket();
        let (first, documents) = ask(&state, None).unwrap();
        assert_eq!(documents, []);
        assert_eq!(ask(&state, Some(first)), None);
        set(&state, 9, Some(b"nine"));
        set(&state, 7, Some(b"seven"));
        let (second, documents) = ask(&state, Some(first)).unwrap();
        assert_eq!(documents, [(7, b"seven".to_vec()), (9, b"nine".to_vec())]);
        assert_eq!(ask(&state, Some(second)), None);
        set(&state, 9, Some(b"ninety"));
        let (third, documents) = ask(&state, Some(second)).unwrap();
        assert_eq!(documents, [(9, b"ninety".to_vec())]);
        state.set_versioning(Versioning::Enabled);
        set(&state, 7, None);
        assert_eq!(ask(&state, Some(third)).unwrap().1, []);
        let all = [(9, b"ninety".to_vec())];
        assert_eq!(ask(&state, None).unwrap().1, all);
        let later = Some(CommitSequence(u64::MAX));
        assert_eq!(ask(&state, later).unwrap().1, all, "a revision that this state never had is no knowledge of it");
    }
}
