//! Random histories against a map in memory.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Put { n: u64, bytes: u64, streamed: bool },
    Delete { n: u64 },
    Read { n: u64 },
    Restart,
    Crash { survives_in_four: u64, index_lost: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..12u64, 1..30_000u64, any::<bool>()).prop_map(|(n, bytes, streamed)| Step::Put { n, bytes, streamed }),
        3 => (0..12u64).prop_map(|n| Step::Delete { n }),
        2 => (0..12u64).prop_map(|n| Step::Read { n }),
        1 => Just(Step::Restart),
        1 => (0..5u64, any::<bool>())
            .prop_map(|(survives_in_four, index_lost)| Step::Crash { survives_in_four, index_lost }),
    ]
}

async fn run(steps: Vec<Step>) {
    let disk = formatted();
    let small = StoreOptions { volume_bytes: 50_000, ..options() };
    let mut store = open_with(&disk, small);
    let mut model: BTreeMap<ShardId, (u64, u64)> = BTreeMap::new();
    let mut dice = Dice(1);
    for (version, step) in (1u64..).zip(steps) {
        match step {
            Step::Put { n, bytes, streamed } => {
                let written = if streamed {
                    stream(&store, shard(n), bytes, version, 2).await
                } else {
                    put(&store, shard(n), bytes, version).await
                };
                written.unwrap();
                model.insert(shard(n), (bytes, version));
            }
            Step::Delete { n } => {
                delete(&store, &[shard(n)]).await.unwrap();
                model.remove(&shard(n));
            }
            Step::Read { n } => match model.get(&shard(n)) {
                Some((bytes, version)) => check(&store, shard(n), *bytes, *version).await,
                None => check_error(&store, shard(n), 1, StorageErrorKind::Missing).await,
            },
            Step::Restart => {
                store.close();
                drop(store);
                store = open_with(&disk, small);
            }
            Step::Crash { survives_in_four, index_lost } => {
                disk.crash(|| dice.roll(4) < survives_in_four);
                if index_lost {
                    disk.remove_index().unwrap();
                }
                drop(store);
                store = open_with(&disk, small);
            }
        }
        assert_eq!(all(&store).await, model.keys().copied().collect::<Vec<_>>());
        assert_eq!(store.usage().shards, model.len() as u64);
    }
    for (id, (bytes, version)) in model {
        check(&store, id, bytes, version).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map_that_survives(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(steps));
    }
}
