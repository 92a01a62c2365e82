//! Commits whose answer is lost, late or no: what was stored is given up only after a no (I40).

use std::time::Duration;

use cairn_protocol::metadata::{MetadataError, PlacedRun};
use cairn_tests::{Content, eventually};

use crate::cluster::{Cluster, LIMIT, Pieces};
use crate::metadata_faults::CommitFault;

const CONTENT: Content = Content { seed: 5, length: 600_000 };
/// Longer than discarding takes.
const A_WHILE: Duration = Duration::from_secs(2);

/// Writes a body and commits it with a fault. Returns where it lies and what the caller was told.
async fn commit(cluster: &Cluster, key: &str, fault: CommitFault) -> (PlacedRun, Result<(), MetadataError>) {
    let written = cluster.write(key, CONTENT, Pieces::new(CONTENT)).await.unwrap();
    let session = written.session;
    let placed = written.into_placed().unwrap();
    cluster.commits.set(Some(fault));
    let told = cluster.path.commit(cluster.commit(key, session, &placed), session, Some(placed.clone())).await;
    cluster.commits.set(None);
    (placed, told.map(drop))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_stay_after_an_unknown_outcome_and_go_after_a_no() {
    let cluster = Cluster::start(6).await;
    for (n, fault) in [CommitFault::Lost, CommitFault::AnswerLost].into_iter().enumerate() {
        let (_, told) = commit(&cluster, &format!("{fault:?}"), fault).await;
        assert!(matches!(told, Err(MetadataError::Unknown(_))), "{fault:?}: {told:?}");
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(cluster.inventory().await.len(), 6 * (n + 1), "{fault:?}: nothing is discarded");
    }
    cluster.check("AnswerLost", CONTENT, 0..CONTENT.length, "it was committed after all").await;
    let (_, told) = commit(&cluster, "refused", CommitFault::Refused).await;
    assert!(matches!(told, Err(MetadataError::Rejected(_))), "{told:?}");
    eventually("the shards of a refused commit are gone", LIMIT, async || {
        let found = cluster.inventory().await.len();
        if found == 12 { Ok(()) } else { Err(format!("{found} shards")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_client_went_away_runs_to_its_end() {
    let cluster = Cluster::start(6).await;
    let given_up = tokio::time::timeout(Duration::from_millis(200), commit(&cluster, "late", CommitFault::Waits)).await;
    assert!(given_up.is_err(), "the client did not wait for it");
    cluster.commits.set(None);
    cluster.commits.release();
    eventually("the object is there", LIMIT, async || {
        let found = cluster.find("late").await;
        if found { Ok(()) } else { Err("it is not".to_owned()) }
    })
    .await;
    cluster.check("late", CONTENT, 0..CONTENT.length, "after its client went away").await;
}

/// Only this gateway may give up what it wrote, so it tries again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn shards_of_a_refused_commit_are_discarded_by_disks_that_answer_later() {
    let cluster = Cluster::start(6).await;
    cluster.faults.deletions(4);
    let (_, told) = commit(&cluster, "refused", CommitFault::Refused).await;
    assert!(matches!(told, Err(MetadataError::Rejected(_))), "{told:?}");
    eventually("the shards are gone", LIMIT, async || {
        let found = cluster.inventory().await.len();
        if found == 0 { Ok(()) } else { Err(format!("{found} shards")) }
    })
    .await;
    assert_eq!(cluster.faults.deletions_left(), 0, "four orders failed");
}

/// Every cluster of these tests registers its node twice, because the first answer is lost.
#[tokio::test]
async fn a_node_whose_registration_was_not_answered_registers_again_and_is_the_same() {
    let cluster = Cluster::start(6).await;
    let map = cluster.path.view.get().unwrap();
    assert_eq!((map.nodes.len(), map.disks.len()), (1, 6), "{map:?}");
}
