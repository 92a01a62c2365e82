//! See [`DeleteBucket`].

use crate::state::stored::DeleteBucket;
use cairn_protocol::metadata::{Outcome, Rejection};
use redb::ReadableTable;

use super::revision::check_revision;
use crate::error::Refused;
use crate::state::tables::{Tables, bucket_settings, buckets};

pub(super) fn apply(tables: &mut Tables<'_>, command: &DeleteBucket) -> Result<Outcome, Refused> {
    let row = buckets::get(&tables.buckets, &command.name)?;
    check_revision(&row, command.revision)?;
    let bucket = row.id;
    // The rows decide, not the counters: a bucket that is not empty is never deleted.
    let all = (bucket.0, [].as_slice(), 0)..(bucket.0 + 1, [].as_slice(), 0);
    let is_empty = tables.versions.range(all.clone())?.next().is_none()
        && tables.noncurrent.range(all.clone())?.next().is_none()
        && tables.uploads.range(all)?.next().is_none();
    if !is_empty {
        return Err(Rejection::BucketNotEmpty.into());
    }
    tables.buckets.remove(command.name.as_str().as_bytes())?;
    tables.usage.remove(bucket.0)?;
    for stamp in &row.documents {
        bucket_settings::remove(&mut tables.bucket_settings, &command.name, stamp.kind)?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::name::BucketName;
    use cairn_protocol::metadata::command::DeleteBucket;
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::State;

    #[test]
    fn only_an_empty_bucket_is_deleted() {
        let state = State::with_bucket();
        let delete = || DeleteBucket { name: state.bucket(), revision: None };
        let object = state.put("a", 10);
        assert_eq!(state.refused(delete()), Rejection::BucketNotEmpty);
        state.delete("a");
        let upload = state.create_upload("b");
        assert_eq!(state.refused(delete()), Rejection::BucketNotEmpty);
        state.abort("b", upload);
        assert_eq!(state.apply(delete()), Ok(Outcome::Done));
        assert_eq!(state.refused(delete()), Rejection::NoSuchBucket);
        assert_eq!(state.refused(state.commit("a", Some(object))), Rejection::NoSuchBucket);
        assert_eq!(
            state.refused(DeleteBucket { name: BucketName::new("other").unwrap(), revision: None }),
            Rejection::NoSuchBucket
        );
    }
}
