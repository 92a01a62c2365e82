//! Members whose filesystem is full (I21): real files on small filesystems, real Raft.

use std::collections::BTreeSet;

use super::members::{Member, cluster_of, three_members};
use super::*;
use crate::space::Room;
use crate::space::testing::Mount;

const MIB: u64 = 1 << 20;
/// Of a small filesystem, and what is kept of it.
const SIZE: u64 = 48 * MIB;
const RESERVE: u64 = 8 * MIB;

fn is_no_room<T>(result: &Result<T, MetadataError>) -> bool {
    matches!(result, Err(MetadataError::Rejected(Rejection::NoRoom(_))))
}

fn delete(key: &str) -> DeleteObject {
    let (key, precondition) = (ObjectKey::new(key).unwrap(), Precondition::default());
    DeleteObject { bucket: bucket(), key, precondition, version: None, revision: None }
}

/// What clients were told.
#[derive(Default)]
struct Told {
    next: u64,
    stored: BTreeSet<String>,
    deleted: BTreeSet<String>,
}

impl Told {
    /// Stores objects until `enough` says so of an answer that is no success.
    async fn store_until(
        &mut self,
        metadata: &impl Metadata,
        session: SessionId,
        mut enough: impl FnMut(&MetadataError) -> bool,
    ) {
        loop {
            let key = format!("key{}", self.next);
            let stored = metadata.run(commit(session, 10 * self.next, &key)).await;
            self.next += 1;
            match stored {
                Ok(_) => drop(self.stored.insert(key)),
                Err(error) if enough(&error) => return,
                Err(_) => {}
            }
        }
    }

    async fn store(&mut self, metadata: &impl Metadata, session: SessionId, count: u64) {
        for _ in 0..count {
            let key = format!("key{}", self.next);
            while let Err(error) = metadata.run(commit(session, 10 * self.next, &key)).await {
                assert!(is_no_room::<()>(&Err(error)));
                tokio::task::yield_now().await;
            }
            self.next += 1;
            self.stored.insert(key);
        }
    }

    /// Deletes one; tells how that ended.
    async fn delete(&mut self, metadata: &impl Metadata) -> Result<(), MetadataError> {
        let key = self.stored.pop_first().unwrap();
        let deleted = metadata.run(delete(&key)).await.map(drop);
        match &deleted {
            Ok(()) => drop(self.deleted.insert(key)),
            Err(MetadataError::Rejected(_) | MetadataError::Unavailable(_)) => drop(self.stored.insert(key)),
            // It is one or the other.
            Err(_) => {}
        }
        deleted
    }

    async fn audit(&self, metadata: &impl Metadata) {
        for key in &self.stored {
            assert_eq!(metadata.ask(get(key)).await.unwrap().version.size, 100, "{key} was stored");
        }
        for key in &self.deleted {
            let found = metadata.ask(get(key)).await;
            assert_eq!(found, Err(MetadataError::Rejected(Rejection::NoSuchKey)), "{key} was deleted");
        }
    }
}

async fn until_it_takes_everything(metadata: &Handle) {
    eventually("there is room again", async || metadata.machine().space().room() == Room::Enough).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_without_room_refuses_what_is_new_and_goes_on_by_itself() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), SIZE) else { return };
    let lasting = || Options { reserve_bytes: RESERVE, session_lease: Duration::from_hours(1), ..options(dir.path()) };
    let metadata = start_with(lasting(), StorageDirectory::new(rpc(SECRET))).await;
    let session = prepare(&metadata).await;
    let mut told = Told::default();
    told.store(&metadata, session, 100).await;
    until_it_takes_everything(&metadata).await;
    // Another process takes all but a little more than the reserve; then the load takes the rest of what it may.
    mount.fill(RESERVE / 2 + MIB);
    told.store_until(&metadata, session, |error| is_no_room::<()>(&Err(error.clone()))).await;
    assert!(is_no_room(
        &metadata.run(CreateBucket { name: BucketName::new("new").unwrap(), region: String::new() }).await
    ));
    // Now it takes everything: the ballast is for deletions, sessions and reads.
    mount.fill(0);
    for _ in 0..20 {
        told.delete(&metadata).await.unwrap();
    }
    metadata
        .run(OpenSession { gateway: NodeId::from_random([9; 16]), release: Release::current(), name: None })
        .await
        .unwrap();
    told.audit(&metadata).await;
    // And takes the ballast as well.
    eventually("the reserve is used up", async || {
        mount.fill(0);
        let _ = told.delete(&metadata).await;
        metadata.machine().space().room() == Room::Exhausted
    })
    .await;
    assert!(is_no_room(&told.delete(&metadata).await), "nothing is proposed that could not be written");
    assert_eq!(metadata.failure(), None);
    mount.empty();
    until_it_takes_everything(&metadata).await;
    told.store(&metadata, session, 50).await;
    told.audit(&metadata).await;
    assert_eq!(metadata.failure(), None);
    metadata.shutdown().await;
    let metadata = start_with(lasting(), StorageDirectory::new(rpc(SECRET))).await;
    told.audit(&metadata).await;
}

/// The log itself finds no room, in the middle of what it writes: it waits, and so does what was proposed.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_being_written_when_the_room_ended_is_written_when_there_is_some() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), SIZE) else { return };
    // A reserve that holds nobody up.
    let careless = Options { reserve_bytes: 1, session_lease: Duration::from_hours(1), ..options(dir.path()) };
    let metadata = start_with(careless, StorageDirectory::new(rpc(SECRET))).await;
    let session = prepare(&metadata).await;
    let mut told = Told::default();
    told.store(&metadata, session, 100).await;
    mount.fill(0);
    let (writer, mut during) = (metadata.clone(), std::mem::take(&mut told));
    let writing = tokio::spawn(async move {
        during.store(&writer, session, 3000).await;
        during
    });
    eventually("a writer waits for room", async || metadata.machine().space().is_waiting()).await;
    assert_eq!(metadata.failure(), None);
    mount.empty();
    let told = writing.await.unwrap();
    told.audit(&metadata).await;
    assert_eq!(metadata.failure(), None);
    let image = kill_image(&metadata, dir.path());
    told.audit(&start(image.path()).await).await;
}

/// What only the log grows by, because it is refused when it is applied: no room for it ends the log no more than the state.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_waits_for_room_of_its_own() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), SIZE) else { return };
    let careless = Options { reserve_bytes: 1, session_lease: Duration::from_hours(1), ..options(dir.path()) };
    let metadata = start_with(careless, StorageDirectory::new(rpc(SECRET))).await;
    prepare(&metadata).await;
    mount.fill(0);
    let asked = metadata.clone();
    let writing = tokio::spawn(async move {
        for _ in 0..40 {
            let again = CreateBucket { name: bucket(), region: "x".repeat(256 << 10) };
            let refused = asked.run(again).await;
            let why = Err(MetadataError::Rejected(Rejection::BucketExists));
            assert!(
                refused == why || matches!(refused, Err(MetadataError::Rejected(Rejection::NoRoom(_)))),
                "{refused:?}"
            );
        }
    });
    eventually("the log waits for room", async || metadata.machine().space().is_waiting()).await;
    assert_eq!(metadata.failure(), None);
    mount.empty();
    writing.await.unwrap();
    assert_eq!(metadata.failure(), None);
}

/// A member that is told to stop while it waits for room stops.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_waits_for_room_can_be_stopped_and_started_again() {
    let dir = TempDir::new().unwrap();
    let Some(mount) = Mount::over(dir.path(), SIZE) else { return };
    let careless = || Options { reserve_bytes: 1, session_lease: Duration::from_hours(1), ..options(dir.path()) };
    let metadata = start_with(careless(), StorageDirectory::new(rpc(SECRET))).await;
    let session = prepare(&metadata).await;
    let mut told = Told::default();
    told.store(&metadata, session, 100).await;
    mount.fill(0);
    let writer = metadata.clone();
    let writing = tokio::spawn(async move {
        let mut n = 0;
        let stored = async |n: u64| writer.run(commit(session, 1_000_000 + 10 * n, "other")).await;
        while stored(n).await.is_ok() {
            n += 1;
        }
    });
    eventually("a writer waits for room", async || metadata.machine().space().is_waiting()).await;
    metadata.shutdown().await;
    writing.await.unwrap();
    mount.empty();
    let metadata = start_with(careless(), StorageDirectory::new(rpc(SECRET))).await;
    told.audit(&metadata).await;
}

/// The members of three that lead, and that do not.
fn leader_of(members: &[Member]) -> Option<usize> {
    members.iter().position(|member| member.handle().leads())
}

async fn store_again_and_again(told: &mut Told, client: &HttpMetadata, session: SessionId, count: u64) {
    for _ in 0..count {
        let (key, counter) = (format!("key{}", told.next), 10 * told.next);
        told.next += 1;
        // What is not known may be there, and is the same object then.
        while let Err(error) = client.run(commit(session, counter, &key)).await {
            let passes = !matches!(error, MetadataError::Rejected(ref other) if !matches!(other, Rejection::NoRoom(_)));
            assert!(passes, "{error}");
        }
        told.stored.insert(key);
    }
}

/// Three members that have formed a cluster, each on a filesystem of its own; `None` where none can be made.
async fn three_on_small_filesystems() -> Option<(Vec<Mount>, Vec<Member>, HttpMetadata)> {
    let (members, addrs) = three_members();
    let mounts: Vec<_> = members.iter().map_while(|member| Mount::over(member.dir.path(), SIZE)).collect();
    if mounts.len() < 3 {
        return None;
    }
    let (members, client) = cluster_of(members, &addrs).await;
    Some((mounts, members, client))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_follower_without_room_is_left_behind_and_catches_up() {
    let Some((mounts, members, client)) = three_on_small_filesystems().await else { return };
    let session = prepare(&client).await;
    let mut told = Told::default();
    store_again_and_again(&mut told, &client, session, 50).await;
    let leader = leader_of(&members).unwrap();
    let full = (leader + 1) % 3;
    let space = members[full].handle().machine().space();
    until_it_takes_everything(members[full].handle()).await;
    eventually("the follower has no room left", async || {
        mounts[full].fill(0);
        store_again_and_again(&mut told, &client, session, 10).await;
        space.room() == Room::Exhausted
    })
    .await;
    store_again_and_again(&mut told, &client, session, 300).await;
    let newest = client.ask(GetClusterStatus {}).await.unwrap().commit;
    assert!(members[full].handle().commit() < newest, "it has no room for them");
    assert_eq!(members[full].handle().failure(), None);
    mounts[full].empty();
    eventually("it catches up by itself", async || members[full].handle().commit() >= newest).await;
    assert_eq!(members[full].handle().failure(), None);
    told.audit(&client).await;
    let view = members[full].handle().machine().view().unwrap();
    let held = crate::state::tables::usage::get(&view.usage().unwrap(), crate::state::tables::usage::TOTAL).unwrap();
    assert_eq!(held.objects, told.stored.len() as u64);
    drop(members);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_leader_without_room_hands_over_to_one_that_has_some() {
    let Some((mounts, members, client)) = three_on_small_filesystems().await else { return };
    let session = prepare(&client).await;
    let mut told = Told::default();
    store_again_and_again(&mut told, &client, session, 50).await;
    for member in &members {
        until_it_takes_everything(member.handle()).await;
    }
    let full = leader_of(&members).unwrap();
    mounts[full].fill(0);
    eventually("another member leads", async || leader_of(&members).is_some_and(|leader| leader != full)).await;
    store_again_and_again(&mut told, &client, session, 50).await;
    told.audit(&client).await;
    drop(members);
}
