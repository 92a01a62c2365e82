//! The test harness: real `cairn` processes, a real client, and a record of what was promised.
//!
//! [`AllInOne`] and [`ProcessCluster`] start the binary with its own directory, ports and logs, and end it by its own
//! process id. [`Content`] derives an object's bytes from a seed, so that nothing large must be kept for comparison.
//! [`Ledger`] holds what the server acknowledged; [`Load`] writes it under faults, and [`ledger_check`] decides afterwards
//! whether every promise was kept. The harness panics where a test would: it is test code.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::missing_panics_doc,
    reason = "a harness fails by panicking, and says why on standard error"
)]

mod all_in_one;
mod binary;
mod cluster;
mod content;
mod dataset;
mod injection;
mod ledger;
pub mod ledger_check;
pub mod lifecycle;
pub mod linearizability;
mod load;
pub mod network;
pub mod offline;
mod ports;
mod previous;
mod process;
pub mod raw;
mod seed;
mod small_disks;
pub mod storage_class;
pub mod tool;
mod wait;
mod workdir;

pub use all_in_one::{AllInOne, Tuning};
pub use binary::cairn;
pub use cluster::{ClusterBuilder, GATEWAYS, ProcessCluster, STORAGE_NODES, node_host};
pub use content::{Content, Mismatch, verify_body};
pub use dataset::Dataset;
pub use injection::Injection;
pub use ledger::{Ledger, Outcome, Version};
pub use load::{Load, LoadStats, Mix, RunningLoad};
pub use ports::free_port;
pub use previous::previous_cairn;
pub use process::Process;
pub use seed::seed;
pub use small_disks::SmallDisks;
pub use wait::{eventually, wait_until};
pub use workdir::Workdir;
