//! The offline audit: metadata and disks of a stopped cluster are read directly and compared.
//!
//! It shares no judgement with `cairn cluster verify`, which asks running services: that both come to the same figures
//! tests either of them (I10). A disk counts by what is in its directory, whatever state the cluster had it in. Memory:
//! about 20 bytes for each extent and 64 for each shard.

mod auditor;
mod contents;
mod health;
mod objects;
mod report;
mod run;
mod state;
#[cfg(test)]
mod tests;

pub use health::{Amount, AtRisk, ObjectAtRisk};
pub use report::{AuditReport, AuditedDisk, AuditedMetadata, Redundancy, Shards, Space, Unowned};
pub use run::{AuditError, AuditOptions, audit};
pub use state::AuditedState;
