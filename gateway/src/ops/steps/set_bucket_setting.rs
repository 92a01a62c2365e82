//! The change of a bucket's setting.

use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::{SetBucketSetting, SettingChange};
use cairn_protocol::metadata::settings::BucketRecord;

use crate::context::Context;
use crate::error::S3Error;

/// Changes a setting of `bucket`, and keeps the record that results.
pub(in crate::ops) async fn set_bucket_setting(
    context: &Context,
    bucket: &BucketName,
    change: SettingChange,
) -> Result<(), S3Error> {
    let (buckets, now_ms) = (context.buckets(), context.clock().now_ms());
    let decide = |record: &BucketRecord| SetBucketSetting {
        bucket: bucket.clone(),
        change: change.clone(),
        revision: Some(record.revision),
        now_ms,
    };
    let asked = buckets.now();
    let record = buckets.run(bucket, decide).await?;
    buckets.learn_set(bucket, record, asked);
    Ok(())
}
