//! The narrow waist between the store and the filesystem. Everything that touches a disk goes through here, so that
//! tests can record it, drop what was not synced, and fail any single operation.

mod directory;
mod disk_file;
mod latency;
mod medium;
mod real;
#[cfg(test)]
pub(crate) mod simulated;

pub use directory::{DiskIo, Space};
pub use disk_file::DiskFile;
pub use latency::{Latency, Operation, Timed};
pub use medium::Medium;
pub use real::RealDisk;
