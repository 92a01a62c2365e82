//! Stored commands that set lifecycle rules, and those by which the leader applies them.

use cairn_core::id::{BucketId, CommitSequence};
use cairn_core::lifecycle::Rule;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::{EndedUpload, EndedVersion};

use super::macros::stored;

stored!(map SetLifecycle { 0 bucket: BucketName, 1 rules: Vec<Rule>, 2 now_ms: u64 });
stored!(map ApplyLifecycle {
    0 bucket: BucketId,
    1 revision: CommitSequence,
    2 versions: Vec<EndedVersion>,
    3 uploads: Vec<EndedUpload>,
});
stored!(
    #[derive(Copy)]
    map AdvanceServiceTime { 0 from_ms: u64, 1 to_ms: u64, 2 commit: CommitSequence, 3 spacing_ms: u64 }
);
