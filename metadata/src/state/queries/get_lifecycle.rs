//! See [`cairn_protocol::metadata::query::GetLifecycle`].

use cairn_core::name::BucketName;
use cairn_protocol::metadata::query::LifecycleView;

use crate::error::Refused;
use crate::state::tables::{View, buckets, lifecycle};

pub(super) fn get_lifecycle(view: &View, bucket: &BucketName) -> Result<Option<LifecycleView>, Refused> {
    let bucket = buckets::get(&view.buckets()?, bucket)?.id;
    let found = lifecycle::get(&view.lifecycle()?, bucket)?;
    Ok(found.map(|lifecycle| LifecycleView { revision: lifecycle.revision, rules: lifecycle.rules }))
}
