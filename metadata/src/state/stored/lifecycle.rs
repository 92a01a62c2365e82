//! Stored commands by which the leader applies lifecycle rules.

use cairn_core::id::CommitSequence;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::command::{EndedUpload, EndedVersion};

use super::macros::stored;

stored!(map ApplyLifecycle {
    4 bucket: BucketName,
    1 revision: CommitSequence,
    2 versions: Vec<EndedVersion>,
    3 uploads: Vec<EndedUpload>,
});
stored!(
    #[derive(Copy)]
    map AdvanceServiceTime { 0 from_ms: u64, 1 to_ms: u64, 2 commit: CommitSequence, 3 spacing_ms: u64 }
);
