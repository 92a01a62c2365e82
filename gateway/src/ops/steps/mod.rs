//! Steps that several operations have in common.

pub(super) mod commit_object;
pub(super) mod commit_part;
pub(super) mod completion;
pub(super) mod copy_source;
pub(super) mod find_object;
pub(super) mod lifecycle_header;
pub(super) mod listing;
pub(super) mod open_object;
pub(super) mod set_bucket_setting;
