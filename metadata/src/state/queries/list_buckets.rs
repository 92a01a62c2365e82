//! See [`ListBuckets`].

use std::ops::Bound;

use cairn_core::name::BucketName;
use cairn_protocol::metadata::query::{BucketInfo, BucketPage, ListBuckets};

use crate::error::{Refused, StoreError};
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::{Row, View, usage};

pub(super) fn list_buckets(view: &View, query: &ListBuckets) -> Result<BucketPage, Refused> {
    let prefix = query.prefix.as_bytes();
    let start = match &query.after {
        Some(after) if after.as_bytes() >= prefix => Bound::Excluded(after.as_bytes()),
        _ => Bound::Included(prefix),
    };
    let held_by = view.usage()?;
    let mut page = BucketPage { buckets: Vec::new(), truncated: false };
    for entry in view.buckets()?.range::<&[u8]>((start, Bound::Unbounded))? {
        let (key, row) = entry?;
        if !key.value().starts_with(prefix) {
            break;
        }
        if page.buckets.len() >= query.limit as usize {
            page.truncated = true;
            break;
        }
        let damaged = |detail: String| StoreError::Damaged { table: "buckets", detail };
        let name = std::str::from_utf8(key.value()).map_err(|e| damaged(e.to_string()))?;
        let name = BucketName::new(name).map_err(|e| damaged(e.to_string()))?;
        let row = BucketRow::read(row.value())?;
        let held = usage::get(&held_by, row.id)?;
        page.buckets.push(BucketInfo { name, record: row.into(), objects: held.objects, bytes: held.bytes });
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;
    use cairn_protocol::metadata::command::CreateBucket;

    #[test]
    fn buckets_come_in_pages_in_the_order_of_their_names() {
        let state = State::new();
        for name in ["logs-b", "media", "logs-a", "logs-c"] {
            state.apply(CreateBucket { name: BucketName::new(name).unwrap(), region: String::new() }).unwrap();
        }
        let page = |after: Option<&str>, limit| {
            let query = ListBuckets { prefix: "logs-".into(), after: after.map(Into::into), limit };
            let page = list_buckets(&state.view(), &query).unwrap();
            (page.buckets.iter().map(|b| b.name.to_string()).collect::<Vec<_>>(), page.truncated)
        };
        assert_eq!(page(None, 2), (vec!["logs-a".into(), "logs-b".into()], true));
        assert_eq!(page(Some("logs-b"), 2), (vec!["logs-c".into()], false));
        assert_eq!(page(Some("a"), 3).0.len(), 3);
    }
}
