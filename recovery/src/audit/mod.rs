//! An audit of a whole cluster whose services are stopped: metadata and disks are read directly, and compared.
//!
//! It shares no judgement with `cairn cluster verify`, which asks running services: that both come to the same figures
//! is a test of either (I10). Disks count by what is in their directories and not by the state that the cluster had them
//! in. Memory: some 20 bytes for each extent and 64 for each shard.

mod health;
mod judge;
mod report;
mod run;
mod shelf;
mod state;
#[cfg(test)]
mod tests;

pub use health::{Amount, AtRisk, ObjectAtRisk};
pub use report::{AuditReport, AuditedDisk, AuditedMetadata, Redundancy, Shards, Space, Unowned};
pub use run::{AuditError, AuditOptions, audit};
pub use state::AuditedState;
