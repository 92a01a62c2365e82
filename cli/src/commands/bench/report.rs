//! The figures of a run, as JSON and text.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::Operation;
use super::limit::Limit;
use super::plan::Plan;
use super::tally::Tally;
use crate::unit::format_bytes;

/// The result of a run. The field names are a public interface.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    op: Operation,
    size_bytes: u64,
    concurrency: u32,
    duration_s: f64,
    ops: u64,
    errors: u64,
    ops_per_s: f64,
    bytes_per_s: f64,
    latency_us: Latency,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<LimitReport>,
}

#[derive(Debug, Serialize)]
struct Latency {
    p50: u64,
    p90: u64,
    p99: u64,
    p999: u64,
    max: u64,
}

#[derive(Debug, Serialize)]
struct LimitReport {
    #[serde(flatten)]
    limit: Limit,
    /// Operations per fdatasync that the disk can do in the same time.
    ops_per_fdatasync: f64,
    /// Object bytes per byte that the disk can write in the same time.
    bytes_per_synced_byte: f64,
}

impl Report {
    /// The report of a run of length `elapsed`.
    pub(super) fn new(plan: &Plan, tally: &Tally, elapsed: Duration, limit: Option<Limit>) -> Self {
        let seconds = elapsed.as_secs_f64().max(1e-9);
        let (ops_per_s, bytes_per_s) = (tally.ops() as f64 / seconds, tally.bytes() as f64 / seconds);
        Self {
            op: plan.operation,
            size_bytes: plan.size_bytes,
            concurrency: plan.concurrency,
            duration_s: seconds,
            ops: tally.ops(),
            errors: tally.errors(),
            ops_per_s,
            bytes_per_s,
            latency_us: Latency {
                p50: tally.latency_us(0.5),
                p90: tally.latency_us(0.9),
                p99: tally.latency_us(0.99),
                p999: tally.latency_us(0.999),
                max: tally.latency_us_max(),
            },
            limit: limit.map(|limit| LimitReport {
                ops_per_fdatasync: ops_per_s / limit.fdatasync_per_s,
                bytes_per_synced_byte: bytes_per_s / limit.synced_write_bytes_per_s,
                limit,
            }),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{:?}", self.op).to_lowercase();
        let size = format_bytes(self.size_bytes as f64);
        writeln!(f, "{name} of {size}, {} at a time, {:.1} s", self.concurrency, self.duration_s)?;
        writeln!(f, "  throughput  {}/s", format_bytes(self.bytes_per_s))?;
        writeln!(f, "  operations  {:.0}/s ({} in all, {} errors)", self.ops_per_s, self.ops, self.errors)?;
        let ms = |us: u64| us as f64 / 1e3;
        let l = &self.latency_us;
        write!(
            f,
            "  latency     p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms",
            ms(l.p50),
            ms(l.p90),
            ms(l.p99),
            ms(l.p999),
            ms(l.max)
        )?;
        if let Some(report) = &self.limit {
            let limit = &report.limit;
            writeln!(f, "\n  limits of the disk under {}, measured in the same run:", limit.dir.display())?;
            writeln!(
                f,
                "    {:.0} fdatasync/s: {:.2} operations for each",
                limit.fdatasync_per_s, report.ops_per_fdatasync
            )?;
            let rate = format_bytes(limit.synced_write_bytes_per_s);
            write!(
                f,
                "    {rate}/s synced sequential writes: {:.2} bytes of objects for each byte",
                report.bytes_per_synced_byte
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_those_of_the_interface() {
        let report = Report {
            op: Operation::Put,
            size_bytes: 4096,
            concurrency: 64,
            duration_s: 10.0,
            ops: 1000,
            errors: 1,
            ops_per_s: 100.0,
            bytes_per_s: 409_600.0,
            latency_us: Latency { p50: 1, p90: 2, p99: 3, p999: 4, max: 5 },
            limit: None,
        };
        let json = serde_json::to_string(&report).unwrap();
        let expected = r#"{"op":"put","size_bytes":4096,"concurrency":64,"duration_s":10.0,"ops":1000,"errors":1,"ops_per_s":100.0,"bytes_per_s":409600.0,"latency_us":{"p50":1,"p90":2,"p99":3,"p999":4,"max":5}}"#;
        assert_eq!(json, expected);
    }
}
