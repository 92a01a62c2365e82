//! See [`ListObjects`].

use std::ops::Bound;

use cairn_core::id::BucketId;
use cairn_core::name::ObjectKey;
use cairn_protocol::metadata::content::ListedObject;
use cairn_protocol::metadata::query::{ListObjects, ListPosition, ObjectPage};
use redb::ReadOnlyTable;

use super::rollup::common_prefix;
use crate::error::{Refused, StoreError};
use crate::state::tables::versions::VersionRow;
use crate::state::tables::{Row, View, buckets, successor, versions};

/// Where a scan continues: at this key, or just after it.
enum Seek {
    At(Vec<u8>),
    After(Vec<u8>),
}

pub(super) fn list_objects(view: &View, query: &ListObjects) -> Result<ObjectPage, Refused> {
    let record = buckets::get(&view.buckets()?, &query.bucket)?;
    let (bucket, revision) = (record.id, record.revision);
    let table = view.versions()?;
    let mut page = ObjectPage { objects: Vec::new(), common_prefixes: Vec::new(), next: None, revision };
    let mut seek = start(query);
    if query.limit == 0 {
        return Ok(page);
    }
    // Each round reads one run of neighbouring keys. It ends at a common prefix, whose subtree the next round skips.
    while let Some(from) = seek {
        seek = scan(&table, bucket, query, from, &mut page)?;
    }
    Ok(page)
}

/// Where the scan begins; `None` if no key can match.
fn start(query: &ListObjects) -> Option<Seek> {
    let prefix = query.prefix.as_bytes();
    let seek = match &query.position {
        ListPosition::Start => Seek::At(prefix.to_vec()),
        ListPosition::After(key) => Seek::After(key.as_bytes().to_vec()),
        ListPosition::AfterPrefix(common) => Seek::At(successor(common.as_bytes())?),
    };
    match &seek {
        Seek::At(key) | Seek::After(key) if key.as_slice() >= prefix => Some(seek),
        _ => Some(Seek::At(prefix.to_vec())),
    }
}

/// Reads keys into the page until it is full, the prefix ends, or a common prefix must be skipped.
fn scan(
    table: &ReadOnlyTable<versions::Key, versions::Value>,
    bucket: BucketId,
    query: &ListObjects,
    from: Seek,
    page: &mut ObjectPage,
) -> Result<Option<Seek>, StoreError> {
    let lower = match &from {
        Seek::At(key) => Bound::Included((bucket.0, key.as_slice(), 0)),
        Seek::After(key) => Bound::Excluded((bucket.0, key.as_slice(), u64::MAX)),
    };
    let upper = Bound::Excluded((bucket.0 + 1, [].as_slice(), 0));
    for entry in table.range::<(u64, &[u8], u64)>((lower, upper))? {
        let (key, row) = entry?;
        let (_, key, _) = key.value();
        if !key.starts_with(query.prefix.as_bytes()) {
            return Ok(None);
        }
        if page.objects.len() + page.common_prefixes.len() >= query.limit as usize {
            page.next = Some(position(page));
            return Ok(None);
        }
        if let Some(common) = common_prefix(key, query.prefix.as_bytes(), &query.delimiter) {
            page.common_prefixes.push(text(common)?);
            return Ok(successor(common).map(Seek::At));
        }
        page.objects.push(listed(key, VersionRow::read(row.value())?)?);
    }
    Ok(None)
}

/// Where the page after a full one begins: after the greater of its last key and its last common prefix.
fn position(page: &ObjectPage) -> ListPosition {
    let key = page.objects.last().map(|object| object.key.as_str());
    match (key, page.common_prefixes.last()) {
        (Some(key), Some(common)) if key > common.as_str() => ListPosition::After(key.to_owned()),
        (_, Some(common)) => ListPosition::AfterPrefix(common.clone()),
        (Some(key), None) => ListPosition::After(key.to_owned()),
        (None, None) => ListPosition::Start,
    }
}

pub(super) fn listed(key: &[u8], row: VersionRow) -> Result<ListedObject, StoreError> {
    Ok(ListedObject {
        key: object_key(key)?,
        size: row.size,
        etag: row.etag,
        last_modified_ms: row.last_modified_ms,
        checksum: row.checksum,
        storage_class: row.storage_class,
    })
}

pub(crate) fn object_key(key: &[u8]) -> Result<ObjectKey, StoreError> {
    ObjectKey::new(&text(key)?).map_err(|e| StoreError::Damaged { table: "versions", detail: e.to_string() })
}

/// Keys and common prefixes are UTF-8, because a common prefix is cut at the ends of UTF-8 texts.
pub(super) fn text(bytes: &[u8]) -> Result<String, StoreError> {
    let text = std::str::from_utf8(bytes);
    text.map(str::to_owned).map_err(|e| StoreError::Damaged { table: "versions", detail: e.to_string() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::state::commands::testing::State;
    use proptest::prelude::*;

    /// S3's definition of a listing, over a plain map.
    fn model(keys: &BTreeSet<String>, prefix: &str, delimiter: &str) -> Vec<String> {
        let mut out = BTreeSet::new();
        for key in keys.iter().filter(|key| key.starts_with(prefix)) {
            let rolled = (!delimiter.is_empty()).then(|| key[prefix.len()..].find(delimiter)).flatten();
            let entry = rolled.map_or_else(|| key.clone(), |at| key[..prefix.len() + at + delimiter.len()].to_owned());
            out.insert(entry);
        }
        out.into_iter().collect()
    }

    fn pages(state: &State, prefix: &str, delimiter: &str, limit: u32) -> Vec<String> {
        let mut query = ListObjects {
            bucket: state.bucket(),
            prefix: prefix.into(),
            delimiter: delimiter.into(),
            position: ListPosition::Start,
            limit,
        };
        let mut all = Vec::new();
        loop {
            let page = list_objects(&state.view(), &query).unwrap();
            let mut entries: Vec<String> = page.objects.iter().map(|o| o.key.to_string()).collect();
            entries.extend(page.common_prefixes.iter().cloned());
            assert!(entries.len() <= limit as usize);
            assert!(page.next.is_none() || entries.len() == limit as usize, "only a full page has a next");
            entries.sort();
            all.extend(entries);
            match page.next {
                Some(next) => query.position = next,
                None => return all,
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn all_pages_together_are_the_listing(
            keys in proptest::collection::btree_set("[ab/é\u{10ffff}]{1,5}", 0..24),
            prefix in "[ab/]{0,2}",
            delimiter in prop_oneof![Just(""), Just("/"), Just("b/")],
            limit in 1u32..5,
        ) {
            let state = State::with_bucket();
            for key in &keys {
                state.apply(state.commit(key, None)).unwrap();
            }
            prop_assert_eq!(pages(&state, &prefix, delimiter, limit), model(&keys, &prefix, delimiter));
        }
    }

    #[test]
    fn a_listing_sees_neither_other_buckets_nor_deleted_keys() {
        let state = State::with_bucket();
        for key in ["a", "b", "c"] {
            state.apply(state.commit(key, None)).unwrap();
        }
        state.delete("b");
        state.apply(state.commit("a", None)).unwrap();
        assert_eq!(pages(&state, "", "", 10), ["a", "c"]);
    }

    #[test]
    fn a_listing_may_start_after_an_absent_key() {
        let state = State::with_bucket();
        for key in ["x/1", "x/2", "x/3", "y"] {
            state.apply(state.commit(key, None)).unwrap();
        }
        let after = |key: &str, prefix: &str| {
            let query = ListObjects {
                bucket: state.bucket(),
                prefix: prefix.into(),
                delimiter: String::new(),
                position: ListPosition::After(key.into()),
                limit: 10,
            };
            let page = list_objects(&state.view(), &query).unwrap();
            page.objects.iter().map(|o| o.key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(after("x/1a", ""), ["x/2", "x/3", "y"]);
        assert_eq!(after("a", "x/"), ["x/1", "x/2", "x/3"]);
        assert_eq!(after("z", "x/"), Vec::<String>::new());
    }
}
