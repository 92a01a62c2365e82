//! See [`cairn_protocol::metadata::query::GetBucket`].

use cairn_core::name::BucketName;
use cairn_protocol::metadata::query::BucketInfo;

use crate::error::{Refused, StoreError};
use crate::state::tables::buckets::BucketRow;
use crate::state::tables::{View, buckets, usage, versioning};

pub(super) fn get_bucket(view: &View, name: &BucketName) -> Result<BucketInfo, Refused> {
    let row = buckets::get(&view.buckets()?, name)?;
    Ok(info(view, name.clone(), row)?)
}

pub(super) fn info(view: &View, name: BucketName, row: BucketRow) -> Result<BucketInfo, StoreError> {
    let held = usage::get(&view.usage()?, row.id)?;
    Ok(BucketInfo {
        name,
        id: row.id,
        created_ms: row.created_ms,
        region: row.region,
        objects: held.objects,
        bytes: held.bytes,
        versioning: versioning::get(&view.versioning()?, row.id)?,
    })
}
