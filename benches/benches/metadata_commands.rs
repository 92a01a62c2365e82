//! The metadata service as an embedded role: commits per second at several numbers of clients, and reads. Beside them
//! the disk's limit: the time of one fdatasync, of which a batch of commits takes two.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a benchmark is a process of its own")]

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cairn_benches::metadata::{bucket, clock, commit, prepare, random};
use cairn_core::id::SessionId;
use cairn_core::name::ObjectKey;
use cairn_core::testing::TestThreads;
use cairn_metadata::{Dependencies, Handle, MetadataService, Options};
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::query::GetObject;
use cairn_protocol::rpc::Roles;
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::storage::StorageDirectory;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

fn key(n: u64) -> ObjectKey {
    ObjectKey::new(&format!("d{}/object-{n}", n % 17)).unwrap()
}

async fn start(dir: &TempDir) -> (Handle, SessionId) {
    let clock = clock();
    let rpc = client_of("secret", Roles::METADATA);
    let dependencies = Dependencies {
        clock,
        random: Arc::new(random()),
        threads: Arc::new(TestThreads),
        storage: StorageDirectory::new(rpc.clone()),
        rpc,
    };
    let options = Options { session_lease: Duration::from_hours(1), ..Options::new(dir.path()) };
    let metadata = MetadataService::start(options, dependencies).await.unwrap();
    let session = prepare(&metadata).await;
    (metadata, session)
}

fn metadata(c: &mut Criterion) {
    let (dir, runtime) = (TempDir::new().unwrap(), Runtime::new().unwrap());
    let (service, session) = runtime.block_on(start(&dir));
    let next = Arc::new(AtomicU64::new(0));
    let mut group = c.benchmark_group("metadata");
    group.sample_size(10).throughput(Throughput::Elements(1));
    let mut raw = File::create(dir.path().join("raw")).unwrap();
    group.bench_function("raw_fdatasync_16KiB", |b| {
        b.iter(|| raw.write_all(&[7; 16 << 10]).and_then(|()| raw.sync_data()).unwrap());
    });
    for clients in [1, 64, 256] {
        group.bench_with_input(BenchmarkId::new("commit_object", clients), &clients, |b, &clients| {
            b.iter_custom(|count| {
                let begin = Instant::now();
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    let left = Arc::new(AtomicU64::new(count));
                    for _ in 0..clients {
                        let (service, next, left) = (service.clone(), Arc::clone(&next), Arc::clone(&left));
                        tasks.spawn(async move {
                            while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
                            {
                                let n = next.fetch_add(1, Ordering::Relaxed);
                                service.run(commit(session, n, key(n))).await.unwrap();
                            }
                        });
                    }
                    tasks.join_all().await;
                });
                begin.elapsed()
            });
        });
    }
    let objects = next.load(Ordering::Relaxed);
    let mut n = 0;
    group.bench_function("get_object", |b| {
        b.iter(|| {
            n = (n + 7919) % objects;
            let query = GetObject { bucket: bucket(), key: key(n), part: None, range: None, extents: 8, version: None };
            runtime.block_on(service.ask(query)).unwrap()
        });
    });
    group.finish();
    runtime.block_on(service.shutdown());
}

criterion_group!(benches, metadata);
criterion_main!(benches);
