//! Stored commands on buckets.

use cairn_core::id::CommitSequence;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::SettingChange;

use super::macros::stored;

stored!(map CreateBucket { 0 name: BucketName, 1 region: String });
stored!(map DeleteBucket { 0 name: BucketName, 1 revision: Option<CommitSequence> });
stored!(map SetBucketSetting {
    0 bucket: BucketName,
    1 change: SettingChange,
    2 revision: Option<CommitSequence>,
    3 now_ms: u64,
});
