//! `cairn bench`: load on any S3 endpoint.
//!
//! The client often shares its machine with the server, so it spends as little as it can: one
//! connection and one request at a time per worker, workers on a single thread unless told otherwise, one body shared
//! by all uploads, downloads dropped frame by frame, and a signature without a hash of the body.

mod keys;
mod limit;
mod plan;
mod prepare;
mod report;
mod tally;
mod worker;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use clap::{Args, ValueEnum};
use serde::Serialize;
use tokio::task::JoinSet;

use self::plan::Plan;
use self::report::Report;
use self::tally::Tally;
use self::worker::Worker;
use super::output::{complain, print, print_json};
use super::{CommandError, block_on};
use crate::http::{Endpoint, EndpointError};
use crate::s3::{Account, S3Error};
use crate::unit::{UnitError, parse_bytes, parse_duration};
use cairn_server::SystemClock;

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

/// Why the benchmark failed.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The endpoint does not parse.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// A size or duration does not parse.
    #[error(transparent)]
    Unit(#[from] UnitError),
    /// The bucket or the objects could not be created.
    #[error("cannot prepare {what} at {endpoint}: {cause}")]
    Prepare {
        /// What was tried.
        what: String,
        /// Where.
        endpoint: Endpoint,
        /// Why not.
        cause: S3Error,
    },
    /// The directory named by `--limit` cannot be measured.
    #[error("cannot measure the disk under {}: {cause}", path.display())]
    Limit {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// A worker thread panicked.
    #[error("a thread of the benchmark panicked")]
    Panicked,
    /// Every operation failed.
    #[error("none of {0} operations succeeded at {1}; the first errors are above")]
    NothingSucceeded(u64, Endpoint),
}

/// Runs the benchmark and prints its report.
pub fn run(args: &BenchArgs) -> Result<(), CommandError> {
    let clock = Arc::new(SystemClock::new());
    let credentials = keys::discover(|name| std::env::var(name).ok())?;
    let account = Arc::new(Account::new(args.endpoint.clone(), credentials, clock.clone()).with_region(&args.region));
    let plan = Arc::new(Plan::new(args, clock.now_ms()));
    block_on(prepare::prepare(&account, &plan))?;
    let limit = match &args.limit {
        Some(path) => {
            complain(&format!("measuring the disk under {}", path.display()));
            let measured = limit::measure(path, clock.as_ref());
            Some(measured.map_err(|cause| BenchError::Limit { path: path.clone(), cause })?)
        }
        None => None,
    };
    let started = clock.monotonic();
    let tally = drive(&account, &plan, clock.clone(), started + args.duration, args.threads)?;
    let elapsed = clock.monotonic().saturating_sub(started);
    if args.cleanup {
        block_on(prepare::cleanup(&account, &plan))?;
    }
    if tally.ops() == 0 {
        return Err(BenchError::NothingSucceeded(tally.errors(), args.endpoint.clone()).into());
    }
    let report = Report::new(&plan, &tally, elapsed, limit);
    if args.json { print_json(&report) } else { print(&report.to_string()) }
}

/// Runs all workers, spread over `threads`, until `deadline` of the clock's monotonic time.
#[expect(clippy::disallowed_methods, reason = "the load generator is a program, and starts its own threads")]
fn drive(
    account: &Arc<Account>,
    plan: &Arc<Plan>,
    clock: Arc<dyn Clock>,
    deadline: Duration,
    threads: u16,
) -> Result<Tally, CommandError> {
    let threads = u32::from(threads).min(plan.concurrency);
    let work = |thread: u32| {
        let ids = (thread..plan.concurrency).step_by(threads as usize);
        let workers: Vec<Worker> =
            ids.map(|id| Worker::new(id, account.clone(), plan.clone(), clock.clone())).collect();
        move || block_on(run_workers(workers, deadline))
    };
    let handles: Vec<_> = (1..threads).map(|thread| std::thread::spawn(work(thread))).collect();
    let mut total = work(0)()?;
    for handle in handles {
        total.merge(&handle.join().map_err(|_| BenchError::Panicked)??);
    }
    Ok(total)
}

async fn run_workers(workers: Vec<Worker>, deadline: Duration) -> Result<Tally, CommandError> {
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(worker.run(deadline));
    }
    let mut total = Tally::new();
    while let Some(tally) = running.join_next().await {
        total.merge(&tally.map_err(|_| BenchError::Panicked)?);
    }
    Ok(total)
}
