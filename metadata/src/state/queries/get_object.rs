//! See [`GetObject`].

use std::ops::Range;

use cairn_core::id::{BucketId, CommitSequence, PartNumber};
use cairn_core::version::{VersionId, Versioning};
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{GetObject, ObjectView};
use cairn_protocol::metadata::settings::SettingKind;
use cairn_protocol::metadata::{Rejection, StoredChecksum};

use super::locate::locate;
use crate::error::{Refused, StoreError};
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{View, buckets, noncurrent, parts, versions};

pub(super) fn get_object(view: &View, query: &GetObject) -> Result<ObjectView, Refused> {
    let record = buckets::get(&view.buckets()?, &query.bucket)?;
    let (bucket, versioning) = (record.id, record.versioning);
    let key = query.key.as_str().as_bytes();
    let (sequence, row) = match query.version {
        Some(id) => named(view, bucket, key, id)?,
        None => newest(view, bucket, key, versioning)?,
    };
    let part = query.part.map(|number| find_part(view, &row, number)).transpose()?;
    let (part, part_checksum) = part.map_or((None, None), |(range, checksum)| (Some(range), checksum));
    let wanted = match (&part, query.range) {
        (Some(part), _) => part.clone(),
        (None, Some(range)) => range.resolve(row.size).unwrap_or(0..0),
        (None, None) => 0..row.size,
    };
    let located = locate(view, row.content, wanted, query.extents).map_err(|refused| match refused {
        // In one view a version's extents always exist: nothing removes them while the version refers to them.
        Refused::Rejected(Rejection::NoSuchVersion) => {
            let detail = format!("an extent of {}/{} has no row", query.bucket, query.key);
            Refused::Store(StoreError::Damaged { table: "extents", detail })
        }
        other => other,
    })?;
    Ok(ObjectView {
        parts: row.parts,
        part_range: part.map(|range| (range.start, range.end)),
        part_checksum,
        located,
        lifecycle: record.document(SettingKind::LIFECYCLE),
        revision: record.revision,
        version: row.into_version(sequence, versioning),
    })
}

/// The newest version. Refused if it is not an object.
fn newest(
    view: &View,
    bucket: BucketId,
    key: &[u8],
    versioning: Versioning,
) -> Result<(CommitSequence, VersionRow), Refused> {
    if let Some(found) = versions::newest(&view.versions()?, bucket, key)? {
        return Ok(found);
    }
    // A key that has versions but no current object has a delete marker on top.
    let marker = match versioning {
        Versioning::Unversioned => None,
        Versioning::Enabled | Versioning::Suspended => versions::newest(&view.noncurrent()?, bucket, key)?,
    };
    let refusal = marker.map(|(sequence, row)| Rejection::DeleteMarker(row.kind.id(sequence)));
    Err(refusal.unwrap_or(Rejection::NoSuchKey).into())
}

/// The version called `id`. Refused if it is not an object.
fn named(view: &View, bucket: BucketId, key: &[u8], id: VersionId) -> Result<(CommitSequence, VersionRow), Refused> {
    let found = noncurrent::find(&view.versions()?, &view.noncurrent()?, &view.null_versions()?, bucket, key, id)?;
    let found = found.ok_or(Rejection::NoSuchVersion)?;
    if found.row.kind.is_marker() {
        return Err(Rejection::DeleteMarker(id).into());
    }
    Ok((found.sequence, found.row))
}

/// The bytes of part `number` of an object, and the checksum stored for that part.
fn find_part(
    view: &View,
    row: &VersionRow,
    number: PartNumber,
) -> Result<(Range<u64>, Option<StoredChecksum>), Refused> {
    match row.content {
        Content::Parts(upload) => {
            let part = parts::get(&view.parts()?, upload, number)?.ok_or(Rejection::NoSuchPart)?;
            Ok((part.offset..part.offset + part.size(), part.checksum))
        }
        Content::Empty | Content::Run(_) if number.get() == 1 => Ok((0..row.size, None)),
        Content::Empty | Content::Run(_) => Err(Rejection::NoSuchPart.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;
    use cairn_core::limits::PART_BYTES_MIN;
    use cairn_core::name::ObjectKey;
    use cairn_core::range::ByteRange;
    use cairn_protocol::metadata::command::CommitPart;

    fn query(state: &State, key: &str) -> GetObject {
        let key = ObjectKey::new(key).unwrap();
        GetObject { bucket: state.bucket(), key, part: None, range: None, extents: 8, version: None }
    }

    fn rejection(state: &State, query: &GetObject) -> Rejection {
        match get_object(&state.view(), query) {
            Err(Refused::Rejected(rejection)) => rejection,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_query_finds_version_and_extents() {
        let state = State::with_bucket();
        let body = state.put("a", 200);
        let view = get_object(&state.view(), &query(&state, "a")).unwrap();
        assert_eq!((view.version.size, view.parts, view.part_range), (200, None, None));
        assert_eq!(view.located.iter().map(|e| e.id).collect::<Vec<_>>(), body.run.ids().collect::<Vec<_>>());
        assert_eq!(view.located[1].locations, body.extents[1].locations);
        let ranged = GetObject { range: Some(ByteRange::Suffix(1)), ..query(&state, "a") };
        assert_eq!(get_object(&state.view(), &ranged).unwrap().located[0].offset, 192);
        let beyond = GetObject { range: Some(ByteRange::From(200)), ..query(&state, "a") };
        assert_eq!(get_object(&state.view(), &beyond).unwrap().located, []);
        let head = GetObject { extents: 0, ..query(&state, "a") };
        assert_eq!(get_object(&state.view(), &head).unwrap().located, []);
        assert_eq!(rejection(&state, &query(&state, "b")), Rejection::NoSuchKey);
    }

    #[test]
    fn versions_are_found_by_their_ids() {
        let state = State::with_bucket();
        state.put("a", 1);
        let null = get_object(&state.view(), &query(&state, "a")).unwrap();
        assert_eq!(null.version.id, None, "a bucket that never was versioned has no ids");
        state.set_versioning(Versioning::Enabled);
        state.put("a", 2);
        let current = get_object(&state.view(), &query(&state, "a")).unwrap().version;
        let named = |id| GetObject { version: Some(id), ..query(&state, "a") };
        let size = |id| get_object(&state.view(), &named(id)).unwrap().version.size;
        assert_eq!((size(VersionId::Null), size(current.id.unwrap())), (1, 2));
        state.delete("a");
        let Rejection::DeleteMarker(marker) = rejection(&state, &query(&state, "a")) else { panic!("it is hidden") };
        assert_eq!(rejection(&state, &named(marker)), Rejection::DeleteMarker(marker));
        assert_eq!((size(VersionId::Null), size(current.id.unwrap())), (1, 2));
        // A null version is not found by the commit that created it.
        assert_eq!(rejection(&state, &named(VersionId::Commit(null.version.sequence))), Rejection::NoSuchVersion);
        let elsewhere = GetObject { version: current.id, ..query(&state, "b") };
        assert_eq!(rejection(&state, &elsewhere), Rejection::NoSuchVersion);
    }

    #[test]
    fn a_part_is_found_by_its_number() {
        let state = State::with_bucket();
        let number = |n| Some(PartNumber::new(n).unwrap());
        let upload = state.create_upload("a");
        state.put_part("a", upload, 3, PART_BYTES_MIN);
        let second = state.body(50);
        let checksum = Some(StoredChecksum { algorithm: "CRC32".into(), value: "y/Q5Jg==".into(), composite: false });
        let commit = state.part("a", upload, 7, Some(second.clone()));
        state.apply(CommitPart { checksum: checksum.clone(), ..commit }).unwrap();
        state.apply(state.completion("a", upload, &[3, 7])).unwrap();
        let part = GetObject { part: number(7), ..query(&state, "a") };
        let view = get_object(&state.view(), &part).unwrap();
        assert_eq!(view.part_bytes(), Some(PART_BYTES_MIN..PART_BYTES_MIN + 50));
        assert_eq!(view.located.iter().map(|e| e.id).collect::<Vec<_>>(), second.run.ids().collect::<Vec<_>>());
        assert_eq!((view.parts, view.part_checksum), (Some(2), checksum));
        assert_eq!(rejection(&state, &GetObject { part: number(4), ..query(&state, "a") }), Rejection::NoSuchPart);
        state.put("b", 10);
        let whole = get_object(&state.view(), &GetObject { part: number(1), ..query(&state, "b") }).unwrap();
        assert_eq!(whole.part_bytes(), Some(0..10));
        assert_eq!(rejection(&state, &GetObject { part: number(2), ..query(&state, "b") }), Rejection::NoSuchPart);
    }
}
