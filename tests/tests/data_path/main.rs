//! The gateway's data path against a real metadata service and real disks, with faults between them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod cluster;
mod committing;
mod faults;
mod metadata_faults;
mod reading;
mod rebuilding;
mod settings;
mod writing;
