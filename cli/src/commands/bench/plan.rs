//! The plan of a run: settings, keys and the shared body.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{BenchArgs, Operation};

/// Default bytes of prepared objects.
const PREPARED_BYTES: u64 = 1 << 30;
/// Default limit of prepared objects.
const PREPARED_OBJECTS_MAX: u64 = 5_000;
/// Default number of objects prepared for deletion.
const DELETED_OBJECTS: u64 = 20_000;
/// Prefix of every key; `--cleanup` deletes nothing else.
pub(super) const PREFIX: &str = "cairn-bench/";
/// Limit of printed errors.
const ERRORS_PRINTED_MAX: u64 = 5;

/// Shared by all workers.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) operation: Operation,
    pub(super) bucket: String,
    pub(super) size_bytes: u64,
    pub(super) concurrency: u32,
    pub(super) objects: u64,
    /// The body of every upload: random, so that no layer below can compress it.
    pub(super) body: Bytes,
    /// Distinguishes the keys of this run.
    run: u64,
    deleted: AtomicU64,
    errors_seen: AtomicU64,
}

impl Plan {
    /// The plan for `args`; `run` differs between runs.
    pub(super) fn new(args: &BenchArgs, run: u64) -> Self {
        let fitting = (PREPARED_BYTES / args.size.max(1)).clamp(u64::from(args.concurrency), PREPARED_OBJECTS_MAX);
        let objects = match (args.objects, args.op) {
            (Some(objects), _) => u64::from(objects.max(1)),
            (None, Operation::Delete) => DELETED_OBJECTS,
            (None, _) => fitting.max(1),
        };
        let mut body = vec![0; args.size as usize];
        SmallRng::seed_from_u64(args.size).fill_bytes(&mut body);
        Self {
            operation: args.op,
            bucket: args.bucket.clone(),
            size_bytes: args.size,
            concurrency: args.concurrency,
            objects,
            body: body.into(),
            run,
            deleted: AtomicU64::new(0),
            errors_seen: AtomicU64::new(0),
        }
    }

    /// Whether the run needs objects to exist.
    pub(super) fn needs_objects(&self) -> bool {
        self.operation != Operation::Put
    }

    /// The prefix of prepared keys.
    pub(super) fn prepared_prefix(&self) -> String {
        format!("{PREFIX}prepared-{}/", self.size_bytes)
    }

    /// The key of the prepared object `index`.
    pub(super) fn prepared_key(&self, index: u64) -> String {
        format!("{PREFIX}prepared-{}/{index:08}", self.size_bytes)
    }

    /// The `count`-th fresh key of a worker.
    pub(super) fn fresh_key(&self, worker: u32, count: u64) -> String {
        format!("{PREFIX}put-{}/{worker}-{count}", self.run)
    }

    /// The next object to delete; `None` when all are deleted.
    pub(super) fn next_deletion(&self) -> Option<String> {
        let index = self.deleted.fetch_add(1, Ordering::Relaxed);
        (index < self.objects).then(|| self.prepared_key(index))
    }

    /// Whether this error is among the first, which are printed.
    pub(super) fn prints_error(&self) -> bool {
        self.errors_seen.fetch_add(1, Ordering::Relaxed) < ERRORS_PRINTED_MAX
    }
}
