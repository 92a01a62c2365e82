//! Quorum logic without I/O: events in, decisions out.

mod read;
mod write;

pub use read::{ReadCommand, ReadQuorum, ShardFault};
pub use write::{WriteDecision, WriteQuorum};
