//! The calls under `/v1`, one file for each noun: extract, convert, ask, convert.

pub(super) mod cluster;
pub(super) mod disks;
pub(super) mod drain;
pub(super) mod metadata;
pub(super) mod placement;
pub(super) mod profiles;
pub(super) mod rebalance;
pub(super) mod repair;
pub(super) mod scrub;
pub(super) mod upgrade;
pub(super) mod verify;
