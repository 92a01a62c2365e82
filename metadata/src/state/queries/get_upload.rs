//! See [`GetUpload`].

use cairn_protocol::metadata::query::{GetUpload, UploadInfo};

use crate::error::Refused;
use crate::state::tables::{View, buckets, uploads};

pub(super) fn get_upload(view: &View, query: &GetUpload) -> Result<UploadInfo, Refused> {
    let bucket = buckets::get(&view.buckets()?, &query.bucket)?;
    let row = uploads::get(&view.uploads()?, bucket.id, &query.key, query.upload)?;
    Ok(row.into_info(bucket.revision))
}
