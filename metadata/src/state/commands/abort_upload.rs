//! See [`AbortUpload`].

use crate::state::stored::AbortUpload;
use cairn_core::id::{BucketId, UploadId};
use cairn_core::name::ObjectKey;
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use super::release::release;
use super::revision::check_revision;
use crate::error::{Refused, StoreError};
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::usage::Change;
use crate::state::tables::{Tables, buckets, parts, uploads, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &AbortUpload, context: Context) -> Result<Outcome, Refused> {
    let row = buckets::get(&tables.buckets, &command.bucket)?;
    check_revision(&row, command.revision)?;
    let bucket = row.id;
    uploads::get(&tables.uploads, bucket, &command.key, command.upload)?;
    remove(tables, bucket, &command.key, command.upload, context, 0)?;
    Ok(Outcome::Done)
}

/// Removes an existing upload, as the `item`-th release of the command.
pub(super) fn remove(
    tables: &mut Tables<'_>,
    bucket: BucketId,
    key: &ObjectKey,
    upload: UploadId,
    context: Context,
    item: u32,
) -> Result<(), StoreError> {
    let has_parts = parts::from(&tables.parts, upload, 0)?.next().is_some();
    tables.uploads.remove((bucket.0, key.as_str().as_bytes(), upload.0))?;
    release(tables, context, item, has_parts.then_some(Garbage::Parts(upload)))?;
    usage::add(&mut tables.usage, bucket, Change { uploads: -1, ..Change::default() })
}

#[cfg(test)]
mod tests {
    use cairn_protocol::metadata::Rejection;

    use crate::state::commands::testing::State;
    use crate::state::tables::reclaim::Garbage;

    #[test]
    fn an_abort_releases_all_parts_in_one_row() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        for number in 1..=3 {
            state.put_part("a", upload, number, 10);
        }
        state.abort("a", upload);
        assert_eq!(state.reclaim().iter().map(|(_, row)| row.garbage).collect::<Vec<_>>(), [Garbage::Parts(upload)]);
        assert_eq!(state.usage(), (0, 0, 0));
        assert_eq!(state.refused(state.abortion("a", upload)), Rejection::NoSuchUpload);
        assert_eq!(state.refused(state.part("a", upload, 1, Some(state.body(1)))), Rejection::NoSuchUpload);
    }

    #[test]
    fn an_upload_without_parts_leaves_nothing_behind() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        state.abort("a", upload);
        assert!(state.reclaim().is_empty());
    }
}
