//! The tables of the state machine: one file per table, with the encoding of its keys and rows.

pub(crate) mod abandoned;
pub(crate) mod absences;
mod all_versions;
pub(crate) mod bucket_settings;
pub(crate) mod buckets;
pub(crate) mod calls;
pub(crate) mod cluster_map;
pub(crate) mod counters;
pub(crate) mod disk_extents;
pub(crate) mod extents;
pub(crate) mod findings;
pub(crate) mod history;
pub(crate) mod members;
pub(crate) mod meta;
pub(crate) mod noncurrent;
pub(crate) mod null_versions;
pub(crate) mod parts;
pub(crate) mod rebalance;
pub(crate) mod rebuilds;
pub(crate) mod reclaim;
pub(crate) mod repair;
mod row;
pub(crate) mod service_time;
pub(crate) mod sessions;
pub(crate) mod uploads;
pub(crate) mod usage;
pub(crate) mod versions;
mod view;

pub(crate) use all_versions::AllVersions;
pub(crate) use row::{Row, successor};
#[cfg(test)]
pub(crate) use view::TABLES_OPENED;
pub(crate) use view::{Tables, View, for_each_table};
