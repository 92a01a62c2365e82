//! What bodies hold in memory, counted by the allocator, against what they are charged (I23).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "shared with the tests of the data path, which use all of it")]
#[path = "../data_path/cluster.rs"]
mod cluster;
mod counting;
#[allow(dead_code, reason = "as above")]
#[path = "../data_path/faults.rs"]
mod faults;
#[allow(dead_code, reason = "shared with the tests of the data path, which use all of it")]
#[path = "../data_path/metadata_faults.rs"]
mod metadata_faults;

use std::sync::Arc;

use cairn_core::footprint;
use cairn_core::geometry::Geometry;
use cairn_core::limits::EXTENT_BYTES_MAX;
use cairn_core::profile::{FailureDomain, Profile};
use cairn_protocol::metadata::MetadataExt;
use cairn_protocol::metadata::command::{ProfileShape, SetProfile};
use cairn_tests::{Content, eventually};
use tokio::task::JoinSet;

use cluster::{Cluster, LIMIT, NoDigest, Pieces};
use counting::Counting;
use faults::ReadFault;

#[global_allocator]
static ALLOCATOR: Counting = Counting::new();

/// What the disks and the metadata service of the same process hold beside the body.
const OTHERS_BYTES: u64 = 6 << 20;
const MIB: u64 = 1 << 20;

/// Gives new objects this shape.
async fn set_shape(cluster: &Cluster, data_shards: u8, parity_shards: u8, cell_bytes: u32) {
    let write_quorum = data_shards + 1;
    let shape =
        ProfileShape { data_shards, parity_shards, cell_bytes, write_quorum, failure_domain: FailureDomain::Disk };
    let rule = SetProfile { bucket: None, shapes: Some((shape, shape)), small_bytes_max: 0 };
    cluster.metadata.run(rule).await.unwrap();
    eventually("the gateway knows the rule", LIMIT, async || {
        let map = cluster.path.view.get().ok_or("no map")?;
        let rule = map.rule(None, None).and_then(|rule| map.profile(rule.large)).ok_or("no rule")?;
        let is_new = (rule.data_shards, rule.cell_bytes) == (data_shards, cell_bytes);
        if is_new { Ok(()) } else { Err("another rule".to_owned()) }
    })
    .await;
}

/// Writes and reads two extents of this shape and compares what the process held with the charge.
async fn check(data_shards: u8, parity_shards: u8, cell_bytes: u32) {
    let name = format!("{data_shards}+{parity_shards} of {cell_bytes}");
    let cluster = Cluster::with_memory(u32::from(data_shards + parity_shards), 128 * MIB).await;
    set_shape(&cluster, data_shards, parity_shards, cell_bytes).await;
    let content = Content::new(7, EXTENT_BYTES_MAX + 20 * MIB);
    let geometry = Geometry { data_shards, parity_shards, cell_bytes, length: EXTENT_BYTES_MAX };

    let before = ALLOCATOR.restart();
    let placed = cluster.store("large", content).await;
    let held = (ALLOCATOR.peak() - before) as u64;
    assert_eq!(placed.extents[0].geometry, geometry, "{name}");
    let charged = footprint::write(&geometry, content.length);
    assert!(held <= charged + OTHERS_BYTES, "{name}: a write held {held} of {charged} bytes");
    let batch = footprint::write_batch_stripes(&geometry) * cell_bytes * u32::from(data_shards + parity_shards);
    assert!(
        held >= u64::from(batch),
        "{name}: a write held {held} bytes and a batch has {batch}: nothing was measured"
    );

    // With a shard missing, rows are decoded.
    cluster.faults.reads([(cluster.disk(placed.extents[0].locations[0].unwrap()), ReadFault::Missing)]);
    let range = 0..content.length;
    let view = cluster.view("large").await;
    let before = ALLOCATOR.restart();
    let mut reader = cluster.path.read(view.version.content, range.clone(), view.located).await.unwrap();
    let mut position = 0;
    while let Some(batch) = reader.next_batch().await.unwrap() {
        for piece in batch {
            assert!(content.check(position, &piece).is_ok(), "{name} at {position}");
            position += piece.len() as u64;
        }
    }
    let held = (ALLOCATOR.peak() - before) as u64;
    let charged = footprint::read(&geometry, &(0..EXTENT_BYTES_MAX), true);
    assert!(position == range.end && held <= charged + OTHERS_BYTES, "{name}: a read held {held} of {charged} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_the_default_profile_holds_what_it_is_charged() {
    check(4, 2, 64 << 10).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_a_wide_profile_with_large_cells_holds_what_it_is_charged() {
    check(10, 4, 1 << 20).await;
}

/// Writes a copy of an object without committing it.
async fn copy(cluster: &Cluster, key: &str, content: Content) {
    let view = cluster.view(key).await;
    let mut source = cluster
        .path
        .copy_source(view.version.content, 0..content.length, view.located)
        .await
        .expect("its source opens");
    let descriptor = cluster.descriptor(key, content);
    let written = cluster.path.writer().write(&mut source, content.length, NoDigest, descriptor).await;
    written.map(drop).expect("a copy is written");
}

/// A copy takes one share for reading and writing. If it took two, copies that hold the first could wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_writes_and_reads_finish_with_the_memory_of_one_copy() {
    let profile = Profile::defaults(FailureDomain::Disk)[1];
    let cluster = Cluster::with_memory(6, footprint::body_max(&profile)).await;
    let content = Content::new(3, 5 * MIB);
    cluster.store("object", content).await;
    let cluster = Arc::new(cluster);
    let mut bodies = JoinSet::new();
    for n in 0..16 {
        let cluster = Arc::clone(&cluster);
        bodies.spawn(async move {
            match n % 4 {
                0 => cluster.check("object", content, 0..content.length, "beside copies").await,
                1 => drop(cluster.write("other", content, Pieces::new(content)).await.unwrap()),
                _ => copy(&cluster, "object", content).await,
            }
        });
    }
    bodies.join_all().await;
}
