//! See [`ListUploads`].

use std::ops::Bound;

use cairn_core::id::{BucketId, UploadId};
use cairn_protocol::metadata::query::{ListUploads, ListedUpload, UploadPage};
use redb::ReadOnlyTable;

use super::list_objects::{object_key, text};
use super::rollup::common_prefix;
use crate::error::{Refused, StoreError};
use crate::state::tables::uploads::UploadRow;
use crate::state::tables::{Row, View, buckets, successor, uploads};

/// Where a scan continues: at this key, or after this upload of it.
enum Seek {
    At(Vec<u8>),
    After(Vec<u8>, u64),
}

pub(super) fn list_uploads(view: &View, query: &ListUploads) -> Result<UploadPage, Refused> {
    let record = buckets::get(&view.buckets()?, &query.bucket)?;
    let (bucket, revision) = (record.id, record.revision);
    let table = view.uploads()?;
    let mut page = UploadPage { uploads: Vec::new(), common_prefixes: Vec::new(), next: None, revision };
    if query.limit == 0 {
        return Ok(page);
    }
    let mut seek = start(query);
    while let Some(from) = seek {
        seek = scan(&table, bucket, query, from, &mut page)?;
    }
    Ok(page)
}

fn start(query: &ListUploads) -> Option<Seek> {
    let (prefix, marker) = (query.prefix.as_bytes(), query.key_marker.as_bytes());
    if marker < prefix || marker.is_empty() {
        return Some(Seek::At(prefix.to_vec()));
    }
    match query.upload_marker {
        Some(upload) => Some(Seek::After(marker.to_vec(), upload.0)),
        // A page that ended on a common prefix gave it as the marker: everything below it has been listed.
        None if marker.starts_with(prefix) && common_prefix(marker, prefix, &query.delimiter) == Some(marker) => {
            successor(marker).map(Seek::At)
        }
        None => Some(Seek::After(marker.to_vec(), u64::MAX)),
    }
}

fn scan(
    table: &ReadOnlyTable<uploads::Key, uploads::Value>,
    bucket: BucketId,
    query: &ListUploads,
    from: Seek,
    page: &mut UploadPage,
) -> Result<Option<Seek>, StoreError> {
    let lower = match &from {
        Seek::At(key) => Bound::Included((bucket.0, key.as_slice(), 0)),
        Seek::After(key, upload) => Bound::Excluded((bucket.0, key.as_slice(), *upload)),
    };
    let upper = Bound::Excluded((bucket.0 + 1, [].as_slice(), 0));
    for entry in table.range::<(u64, &[u8], u64)>((lower, upper))? {
        let (key, row) = entry?;
        let (_, key, upload) = key.value();
        if !key.starts_with(query.prefix.as_bytes()) {
            return Ok(None);
        }
        if page.uploads.len() + page.common_prefixes.len() >= query.limit as usize {
            page.next = Some(position(page));
            return Ok(None);
        }
        if let Some(common) = common_prefix(key, query.prefix.as_bytes(), &query.delimiter) {
            page.common_prefixes.push(text(common)?);
            return Ok(successor(common).map(Seek::At));
        }
        let row = UploadRow::read(row.value())?;
        page.uploads.push(ListedUpload {
            key: object_key(key)?,
            upload: UploadId(upload),
            created_ms: row.created_ms,
            checksum_algorithm: row.checksum_algorithm,
            checksum_composite: row.checksum_composite,
            storage_class: row.storage_class,
        });
    }
    Ok(None)
}

fn position(page: &UploadPage) -> (String, Option<UploadId>) {
    let last = page.uploads.last().map(|last| (last.key.to_string(), Some(last.upload)));
    let common = page.common_prefixes.last().map(|common| (common.clone(), None));
    last.into_iter().chain(common).max_by(|a, b| a.0.cmp(&b.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;

    #[test]
    fn uploads_come_in_pages_by_key_then_by_age() {
        let state = State::with_bucket();
        let keys = ["b", "a", "a", "d/1", "d/2", "e"];
        let ids: Vec<_> = keys.iter().map(|key| state.create_upload(key)).collect();
        for (delimiter, expected) in [
            ("", vec![("a", 1), ("a", 2), ("b", 0), ("d/1", 3), ("d/2", 4), ("e", 5)]),
            ("/", vec![("a", 1), ("a", 2), ("b", 0), ("d/", 9), ("e", 5)]),
        ] {
            for limit in 1..7 {
                let mut query = ListUploads {
                    bucket: state.bucket(),
                    prefix: String::new(),
                    delimiter: delimiter.into(),
                    key_marker: String::new(),
                    upload_marker: None,
                    limit,
                };
                let mut got = Vec::new();
                loop {
                    let page = list_uploads(&state.view(), &query).unwrap();
                    let number = |id| ids.iter().position(|known| *known == id).unwrap();
                    let mut entries: Vec<_> =
                        page.uploads.iter().map(|u| (u.key.to_string(), number(u.upload))).collect();
                    entries.extend(page.common_prefixes.iter().map(|common| (common.clone(), 9)));
                    entries.sort_by(|a, b| a.0.cmp(&b.0));
                    got.extend(entries);
                    let Some((key, upload)) = page.next else { break };
                    (query.key_marker, query.upload_marker) = (key, upload);
                }
                let got: Vec<_> = got.iter().map(|(key, n)| (key.as_str(), *n)).collect();
                assert_eq!(got, expected, "{delimiter:?} {limit}");
            }
        }
    }
}
