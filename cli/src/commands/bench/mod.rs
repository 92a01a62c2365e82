//! `cairn bench`: load on any S3 endpoint.
//!
//! The client often shares its machine with the server, so it spends as little as it can: one
//! connection and one request at a time per worker, workers on a single thread unless told otherwise, one body shared
//! by all uploads, downloads dropped frame by frame, and a signature without a hash of the body.

mod args;
mod error;
mod keys;
mod limit;
mod plan;
mod prepare;
mod report;
mod tally;
mod worker;

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_server::SystemClock;
use tokio::task::JoinSet;

pub use self::args::{BenchArgs, Operation};
pub use self::error::BenchError;

use self::plan::Plan;
use self::report::Report;
use self::tally::Tally;
use self::worker::Worker;
use super::CommandError;
use super::output::{complain, print, print_json};
use super::runtime::block_on;
use crate::s3::Account;

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
