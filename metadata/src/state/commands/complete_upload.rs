//! See [`CompleteUpload`].

use crate::state::stored::CompleteUpload;
use cairn_core::limits::{OBJECT_BYTES_MAX, PART_BYTES_MIN};
use cairn_core::version::VersionKind;
use cairn_protocol::metadata::command::UploadCompleted;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::settings::SettingKind;
use cairn_protocol::metadata::{Outcome, Rejection};

use super::context::Context;
use super::key_versions::{Current, KeyVersions, Made};
use super::precondition::check_precondition;
use super::release::release;
use super::revision::check_revision;
use crate::error::{Refused, StoreError};
use crate::state::tables::parts::PartRow;
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::uploads::UploadRow;
use crate::state::tables::usage::Change;
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, Tables, buckets, parts, uploads, usage};

pub(super) fn apply(tables: &mut Tables<'_>, command: &CompleteUpload, context: Context) -> Result<Outcome, Refused> {
    let row = buckets::get(&tables.buckets, &command.bucket)?;
    let (bucket, key) = (row.id, command.key.as_str().as_bytes());
    let versions = KeyVersions::of(&row, key);
    let lifecycle = row.document(SettingKind::LIFECYCLE);
    if !uploads::exists(&tables.uploads, bucket, &command.key, command.upload)?
        && let Some((sequence, row)) = versions.find_content(tables, &Content::Parts(command.upload))?
    {
        // The answer to the first attempt was lost.
        return Ok(Outcome::UploadCompleted(UploadCompleted {
            sequence,
            etag: row.etag,
            size: row.size,
            checksum: row.checksum,
            last_modified_ms: Some(row.last_modified_ms),
            lifecycle,
            version: versions.id(row.kind, sequence),
        }));
    }
    check_revision(&row, command.revision)?;
    let upload = uploads::get(&tables.uploads, bucket, &command.key, command.upload)?;
    let (parts, size) = check_parts(tables, command)?;
    let current = versions.current(tables)?;
    check_precondition(&command.precondition, current.as_ref().map(|(_, row)| &row.etag))?;

    drop_unnamed(tables, command, context)?;
    for (number, part) in &parts {
        tables.parts.insert((command.upload.0, *number), part.to_bytes().as_slice())?;
    }
    tables.uploads.remove((bucket.0, key, command.upload.0))?;
    let made = put_version(tables, command, context, versions, current, upload, size)?;
    usage::add(&mut tables.usage, bucket, Change { uploads: -1, ..made.change })?;
    Ok(Outcome::UploadCompleted(UploadCompleted {
        sequence: context.sequence,
        etag: command.etag,
        size,
        checksum: command.checksum.clone(),
        last_modified_ms: Some(context.now_ms),
        lifecycle,
        version: made.id,
    }))
}

/// The named parts with their offsets in the object, and the object's size.
fn check_parts(tables: &Tables<'_>, command: &CompleteUpload) -> Result<(Vec<(u32, PartRow)>, u64), Refused> {
    if command.parts.is_empty() || !command.parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(Rejection::InvalidPartOrder.into());
    }
    let mut named = Vec::with_capacity(command.parts.len());
    let mut offset = 0u64;
    for (n, wanted) in command.parts.iter().enumerate() {
        let number = wanted.number;
        let found = parts::get(&tables.parts, command.upload, number)?;
        let part = found.filter(|part| part.etag == wanted.etag).ok_or(Rejection::InvalidPart(number))?;
        let bytes = part.size();
        if bytes < PART_BYTES_MIN && n + 1 < command.parts.len() {
            return Err(Rejection::PartTooSmall { number, bytes }.into());
        }
        named.push((number.get(), PartRow { offset, ..part }));
        offset += bytes;
    }
    if offset > OBJECT_BYTES_MAX {
        return Err(Rejection::ObjectTooLarge.into());
    }
    Ok((named, offset))
}

/// Releases the parts that the client did not name.
fn drop_unnamed(tables: &mut Tables<'_>, command: &CompleteUpload, context: Context) -> Result<(), StoreError> {
    let mut unnamed = Vec::new();
    for entry in parts::from(&tables.parts, command.upload, 0)? {
        let (number, part) = entry?;
        if command.parts.binary_search_by_key(&number, |p| p.number.get()).is_err() {
            unnamed.push((number, part.run));
        }
    }
    // Item 0 of this command is the content that the object replaces; part numbers begin at 1.
    for (number, run) in unnamed {
        tables.parts.remove((command.upload.0, number))?;
        release(tables, context, number, run.map(Garbage::Run))?;
    }
    Ok(())
}

fn put_version(
    tables: &mut Tables<'_>,
    command: &CompleteUpload,
    context: Context,
    versions: KeyVersions<'_>,
    current: Current,
    upload: UploadRow,
    size: u64,
) -> Result<Made, StoreError> {
    let row = VersionRow {
        size,
        etag: command.etag,
        last_modified_ms: context.now_ms,
        content: Content::Parts(command.upload),
        headers: upload.headers,
        checksum: command.checksum.clone(),
        parts: Some(command.parts.len() as u32),
        storage_class: upload.storage_class,
        kind: VersionKind::Null,
    };
    versions.put(tables, (context, 0), current, row)
}

#[cfg(test)]
mod tests {
    use cairn_core::etag::ETag;
    use cairn_core::id::PartNumber;
    use cairn_core::limits::PART_BYTES_MIN;
    use cairn_core::storage_class::StorageClass;
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{CommitObject, Precondition};

    use crate::state::commands::testing::State;

    #[test]
    fn completion_keeps_the_named_parts_and_releases_the_others() {
        let state = State::with_bucket();
        let old = state.put("a", 7);
        let upload = state.create_upload("a");
        state.put_part("a", upload, 2, PART_BYTES_MIN);
        let unnamed = state.put_part("a", upload, 5, 11);
        state.put_part("a", upload, 9, 3);
        let complete = state.completion("a", upload, &[2, 9]);
        let first = state.apply(complete.clone()).unwrap();
        assert_eq!(state.usage(), (1, PART_BYTES_MIN + 3, 0));
        assert_eq!(state.reclaim_runs(), [old.run, unnamed.run]);
        assert_eq!(state.apply(complete), Ok(first), "I29: a repetition returns the same");
        assert_eq!(state.newest("a").unwrap().1.parts, Some(2));
        state.delete("a");
        assert_eq!(state.reclaim().len(), 3, "one row for all parts");
    }

    #[test]
    fn the_object_has_the_storage_class_of_its_upload() {
        let state = State::with_bucket();
        let upload = state.create_upload_as("a", StorageClass::IntelligentTiering);
        state.put_part("a", upload, 1, 9);
        state.apply(state.completion("a", upload, &[1])).unwrap();
        assert_eq!(state.newest("a").unwrap().1.storage_class, StorageClass::IntelligentTiering);
        // An object that replaces another has its own class, not the old one's.
        state.put("a", 7);
        assert_eq!(state.newest("a").unwrap().1.storage_class, StorageClass::Standard);
    }

    #[test]
    fn each_rule_refuses_what_breaks_it() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        let number = |n| PartNumber::new(n).unwrap();
        state.put_part("a", upload, 1, 10);
        state.put_part("a", upload, 2, 10);
        assert_eq!(state.refused(state.completion("a", upload, &[2, 1])), Rejection::InvalidPartOrder);
        assert_eq!(state.refused(state.completion("a", upload, &[1, 1])), Rejection::InvalidPartOrder);
        assert_eq!(state.refused(state.completion("a", upload, &[])), Rejection::InvalidPartOrder);
        assert_eq!(state.refused(state.completion("a", upload, &[3])), Rejection::InvalidPart(number(3)));
        let small = Rejection::PartTooSmall { number: number(1), bytes: 10 };
        assert_eq!(state.refused(state.completion("a", upload, &[1, 2])), small);
        assert_eq!(state.refused(state.completion("b", upload, &[1])), Rejection::NoSuchUpload);
        let mut other = state.completion("a", upload, &[1]);
        other.parts[0].etag = ETag::single([0xdd; 16]);
        assert_eq!(state.refused(other), Rejection::InvalidPart(number(1)));
        let mut conditional = state.completion("a", upload, &[1]);
        conditional.precondition = Precondition { must_exist: true, ..Precondition::default() };
        assert_eq!(state.refused(conditional), Rejection::NoSuchKey);
        assert_eq!(state.usage(), (0, 0, 1));
        state.apply(state.completion("a", upload, &[1])).unwrap();
        state.apply(CommitObject { body: None, ..state.commit("a", None) }).unwrap();
        assert_eq!(state.refused(state.completion("a", upload, &[1])), Rejection::NoSuchUpload);
    }
}
