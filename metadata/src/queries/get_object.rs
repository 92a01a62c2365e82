//! See [`GetObject`].

use std::ops::Range;

use cairn_core::id::PartNumber;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{GetObject, ObjectView};
use cairn_protocol::metadata::{Rejection, StoredChecksum};

use super::locate::locate;
use crate::error::{Refused, StoreError};
use crate::tables::versions::VersionRow;
use crate::tables::{View, buckets, lifecycle, parts, versions};

pub(super) fn get_object(view: &View, query: &GetObject) -> Result<ObjectView, Refused> {
    let bucket = buckets::get(&view.buckets()?, &query.bucket)?.id;
    let newest = versions::newest(&view.versions()?, bucket, query.key.as_str().as_bytes())?;
    let (sequence, row) = newest.ok_or(Rejection::NoSuchKey)?;
    let part = query.part.map(|number| find_part(view, &row, number)).transpose()?;
    let (part, part_checksum) = part.map_or((None, None), |(range, checksum)| (Some(range), checksum));
    let wanted = match (&part, query.range) {
        (Some(part), _) => part.clone(),
        (None, Some(range)) => range.resolve(row.size).unwrap_or(0..0),
        (None, None) => 0..row.size,
    };
    let located = locate(view, row.content, wanted, query.extents).map_err(|refused| match refused {
        // In one view a version's extents are there: nothing removes them while it refers to them.
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
        lifecycle: lifecycle::revision(&view.lifecycle()?, bucket)?,
        version: row.into_version(sequence),
    })
}

/// The bytes of part `number` of an object, and the checksum that is stored for the part alone.
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
    use crate::commands::testing::State;
    use cairn_core::limits::PART_BYTES_MIN;
    use cairn_core::name::ObjectKey;
    use cairn_core::range::ByteRange;
    use cairn_protocol::metadata::command::CommitPart;

    fn query(state: &State, key: &str) -> GetObject {
        let key = ObjectKey::new(key).unwrap();
        GetObject { bucket: state.bucket(), key, part: None, range: None, extents: 8 }
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
