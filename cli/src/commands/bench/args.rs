//! The flags of `cairn bench`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::http::Endpoint;
use crate::unit::{parse_bytes, parse_duration};

/// What the workers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    /// Store objects under fresh keys.
    Put,
    /// Read prepared objects, in random order.
    Get,
    /// Seven reads of prepared objects for three objects stored.
    Mixed,
    /// List prepared objects page after page; an operation is a page of up to 1,000 keys.
    List,
    /// Delete prepared objects; ends early when none is left.
    Delete,
}

/// Measure any S3 endpoint.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// The S3 endpoint.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
    pub endpoint: Endpoint,
    /// The bucket; created if missing.
    #[arg(long, value_name = "NAME")]
    pub bucket: String,
    /// What to measure.
    #[arg(long, value_enum)]
    pub op: Operation,
    /// Bytes of each object.
    #[arg(long, value_name = "BYTES", default_value = "4KiB", value_parser = parse_bytes)]
    pub size: u64,
    /// Concurrent requests, each on its own connection.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub concurrency: u32,
    /// How long to measure.
    #[arg(long, default_value = "10s", value_parser = parse_duration)]
    pub duration: Duration,
    /// Objects to prepare for get, mixed, list and delete [default: up to 1 GiB and 5,000 (delete: 20,000)].
    #[arg(long)]
    pub objects: Option<u32>,
    /// Threads of the client.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: u16,
    /// Region used in signatures.
    #[arg(long, env = "AWS_REGION", default_value = "us-east-1")]
    pub region: String,
    /// Also measure the disk under this directory and print its limits.
    #[arg(long, value_name = "DIR")]
    pub limit: Option<PathBuf>,
    /// Delete the objects of this and earlier runs when done.
    #[arg(long)]
    pub cleanup: bool,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}
