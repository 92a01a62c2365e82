//! Inspecting a disk without taking it into service, and without writing a byte: what its volumes hold, whether every
//! checksum is right, and single shards out of it. It reads only the volumes; the index is not used, since it may be what
//! is broken. If the superblock is lost, the header of any volume stands in for it.

mod error;
mod export;
mod inspection;
mod opened_disk;
mod report;
mod walk;

pub use error::InspectError;
pub use export::export;
pub use inspection::{InspectOptions, inspect};
pub use report::{Inspection, Problem, ShardReport, VolumeReport};

#[cfg(test)]
mod tests;
