//! The storage node as the other roles see it.

mod delete;
mod directory;
mod error;
mod fault;
mod node;
mod rebuild;
mod scrub;
mod status;

pub use delete::{DeleteOrder, DeleteProof};
pub use directory::{RemoteNodes, StorageDirectory};
pub use error::{StorageError, StorageErrorKind};
pub use fault::ShardReportKind;
pub use node::{ShardWriter, StorageNode};
pub use rebuild::{RebuildOrder, RebuildReport, RebuildSource};
pub use scrub::{ScrubCycle, ScrubFinding, ScrubStatus};
pub use status::{DiskStatus, NodeStatus, SeenCommit};
