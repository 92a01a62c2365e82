//! The start of each role: options from the configuration, dependencies from the process.

pub(crate) mod backups;
pub(crate) mod gateway;
pub(crate) mod metadata;
mod shared;
pub(crate) mod storage_node;

pub(crate) use shared::{Shared, declared};
