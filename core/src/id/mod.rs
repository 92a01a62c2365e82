//! Identifiers: one type for each kind of thing, so that a disk can never be passed for a node.

mod commit_sequence;
mod extent_id;
mod group;
mod member;
mod numbers;
mod uuids;

pub use commit_sequence::{COMMANDS_PER_ENTRY_MAX, CommitSequence};
pub use extent_id::{ExtentId, ExtentIdError};
pub use group::GroupId;
pub use member::{Incarnation, MemberId};
pub use numbers::{BucketId, DiskNumber, Epoch, Generation, PartNumber, ProfileId, UploadId};
pub use numbers::{PartNumberError, SessionId};
pub use uuids::{ClusterId, DiskId, HistoryId, IdParseError, NodeId};
