//! Random histories against a map in memory (I1, I2, I4, I14, I21): writes, streams, deletions, compaction, scrubs,
//! checkpoints, a disk that fills up, failing operations, killed processes, power losses at any operation, also during
//! replay.
//!
//! What was acknowledged counts. What failed may have happened or not, and may still happen, until an acknowledged write or
//! deletion of the same shard decides.

mod step;
mod world;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};

use self::step::{End, Step, step};
use self::world::World;
use crate::disk_io::DiskIo;

/// Histories in one test, and the highest number of steps in each.
const HISTORIES: u32 = 150;
const STEPS_MAX: usize = 360;
/// Steps that one test takes at least: with four tests, 100,000.
const STEPS_MIN: usize = 25_000;
/// Different shards in the histories.
const SHARDS: u64 = 16;

async fn run(steps: Vec<Step>) {
    let mut world = World::new();
    for step in steps {
        world.apply(step).await;
    }
    let power_loss = End::PowerLoss { survives_in_four: 1, seed: 1 };
    world.end(power_loss);
    world.disk.remove_index().unwrap();
    world.start(power_loss).await;
}

/// Runs histories from a seed, which is random unless `CAIRN_MODEL_SEED` says which.
fn explore(part: u64) {
    let named = std::env::var("CAIRN_MODEL_SEED").ok().map(|seed| seed.parse::<u64>().unwrap());
    let random = || std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), part);
    let seed = named.unwrap_or_else(random);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig {
        cases: HISTORIES,
        max_shrink_iters: 2000,
        max_shrink_time: 60_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let steps = std::sync::atomic::AtomicUsize::new(0);
    let result = runner.run(&proptest::collection::vec(step(), STEPS_MAX / 2..STEPS_MAX), |history| {
        steps.fetch_add(history.len(), std::sync::atomic::Ordering::Relaxed);
        runtime.block_on(run(history));
        Ok(())
    });
    let steps = steps.into_inner();
    println!("{steps} steps");
    if let Err(error) = result {
        let repeat = "cargo nextest run -p cairn-storage-node the_store_is_a_map_that_survives";
        let TestError::Fail(why, history) = error else { panic!("{error}") };
        panic!("{why}\nhistory: {history:#?}\nrepeat: CAIRN_MODEL_SEED={seed} {repeat}");
    }
    assert!(steps >= STEPS_MIN, "only {steps} steps");
}

#[test]
fn the_store_is_a_map_that_survives_1() {
    explore(1);
}

#[test]
fn the_store_is_a_map_that_survives_2() {
    explore(2);
}

#[test]
fn the_store_is_a_map_that_survives_3() {
    explore(3);
}

#[test]
fn the_store_is_a_map_that_survives_4() {
    explore(4);
}
