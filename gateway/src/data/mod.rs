//! The data path: bodies in, erasure-coded shards out, and back.
//!
//! Nothing here knows HTTP or XML. A write takes a stream of bytes and leaves durable shards that wait for a commit; a
//! read takes located extents and yields verified bytes. Memory is bounded per body by a few batches of stripes
//! ([`cairn_core::footprint`]), and over all bodies by one [`MemoryBudget`].

mod background;
mod budget;
mod cluster_view;
mod codecs;
mod commit;
mod copy_source;
mod discard;
mod disk_health;
mod fault_reporter;
mod hedge;
mod keep_alive;
mod path;
mod read;
mod session;
mod source;
mod write;

pub use background::Background;
pub use budget::{BudgetError, MemoryBudget, MemoryShare};
pub use cluster_view::ClusterView;
pub use codecs::Codecs;
pub use copy_source::CopySource;
pub use disk_health::DiskHealth;
pub use fault_reporter::FaultReporter;
pub use hedge::HedgeDelay;
pub use path::{DataPath, DataPathOptions};
pub(crate) use read::LOCATE_EXTENTS;
pub use read::{BodyReader, ReadError};
pub use session::{NoSession, Session};
pub use source::{BodyDigest, BodySource};
pub use write::{BodyWriter, WriteError, WrittenBody};
