//! See [`ListParts`].

use cairn_core::id::PartNumber;
use cairn_protocol::metadata::query::{GetUpload, ListParts, ListedPart, PartPage};

use super::get_upload::get_upload;
use crate::error::{Refused, StoreError};
use crate::state::tables::{View, parts};

pub(super) fn list_parts(view: &View, query: &ListParts) -> Result<PartPage, Refused> {
    let upload = GetUpload { bucket: query.bucket.clone(), key: query.key.clone(), upload: query.upload };
    let mut page = PartPage { upload: get_upload(view, &upload)?, parts: Vec::new(), truncated: false };
    for entry in parts::from(&view.parts()?, query.upload, query.after.saturating_add(1))? {
        if page.parts.len() >= query.limit as usize {
            page.truncated = true;
            break;
        }
        let (number, part) = entry?;
        let number = PartNumber::new(number.into())
            .map_err(|e| StoreError::Damaged { table: "parts", detail: e.to_string() })?;
        page.parts.push(ListedPart {
            number,
            size: part.size(),
            etag: part.etag,
            last_modified_ms: part.last_modified_ms,
            checksum: part.checksum,
        });
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;
    use cairn_core::name::ObjectKey;
    use cairn_protocol::metadata::Rejection;

    #[test]
    fn parts_come_in_pages_while_the_upload_is_in_progress() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        for number in [9, 2, 5] {
            state.put_part("a", upload, number, 10 * number);
        }
        let query = |after, limit| {
            let key = ObjectKey::new("a").unwrap();
            list_parts(&state.view(), &ListParts { bucket: state.bucket(), key, upload, after, limit })
        };
        let page = |after, limit| {
            let page = query(after, limit).unwrap();
            (page.parts.iter().map(|p| (p.number.get(), p.size)).collect::<Vec<_>>(), page.truncated)
        };
        assert_eq!(page(0, 2), (vec![(2, 20), (5, 50)], true));
        assert_eq!(page(5, 2), (vec![(9, 90)], false));
        state.abort("a", upload);
        assert!(matches!(query(0, 2), Err(Refused::Rejected(Rejection::NoSuchUpload))));
    }
}
