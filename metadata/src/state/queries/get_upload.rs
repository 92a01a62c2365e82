//! See [`GetUpload`].

use cairn_protocol::metadata::query::{GetUpload, UploadInfo};

use crate::error::Refused;
use crate::state::tables::{View, buckets, uploads};

pub(super) fn get_upload(view: &View, query: &GetUpload) -> Result<UploadInfo, Refused> {
    let bucket = buckets::get(&view.buckets()?, &query.bucket)?.id;
    Ok(uploads::get(&view.uploads()?, bucket, &query.key, query.upload)?.into())
}
