//! Identifiers: one type for each kind of thing, so that a disk can never be passed for a node.

mod extent_id;
mod member;
mod numbers;
mod uuids;

pub use extent_id::{ExtentId, ExtentIdError};
pub use member::{Incarnation, MemberId};
pub use numbers::{BucketId, CommitSequence, DiskNumber, Epoch, Generation, PartNumber, ProfileId, UploadId};
pub use numbers::{PartNumberError, SessionId};
pub use uuids::{ClusterId, DiskId, HistoryId, IdParseError, NodeId};
