//! What the leader tells a storage node to do, and what it concludes from what the node says or does not say.

use super::*;

/// A storage node that remembers what it was told to delete, and can be told to fail.
#[derive(Default)]
pub(super) struct Deletions {
    orders: Mutex<Vec<(DiskId, DeleteOrder)>>,
    failing: Mutex<Option<DiskId>>,
    /// Orders to it are not answered.
    hanging: Mutex<Option<DiskId>>,
    /// What it was told that ends a doubt.
    ended: Mutex<Vec<(DiskId, u64)>>,
}

#[async_trait]
impl StorageNode for Deletions {
    async fn put_shard(&self, disk: DiskId, _: ShardHeader, _: Vec<Cell>) -> Result<(), StorageError> {
        Err(StorageError::new(StorageErrorKind::Refused, disk, ""))
    }

    async fn open_shard(&self, disk: DiskId, _: ShardHeader) -> Result<Box<dyn ShardWriter>, StorageError> {
        Err(StorageError::new(StorageErrorKind::Refused, disk, ""))
    }

    async fn read_cells(
        &self,
        disk: DiskId,
        _: ShardId,
        _: Geometry,
        _: std::ops::Range<u32>,
    ) -> Result<Vec<Cell>, StorageError> {
        Err(StorageError::new(StorageErrorKind::Refused, disk, ""))
    }

    async fn delete_shards(&self, disk: DiskId, order: DeleteOrder) -> Result<(), StorageError> {
        if *self.failing.lock().unwrap() == Some(disk) {
            return Err(StorageError::new(StorageErrorKind::Unreachable, disk, "told to fail"));
        }
        self.orders.lock().unwrap().push((disk, order));
        if *self.hanging.lock().unwrap() == Some(disk) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    async fn inventory(&self, _: DiskId, _: Option<ShardId>, _: u32) -> Result<Vec<ShardId>, StorageError> {
        Ok(Vec::new())
    }

    async fn end_doubt(&self, disk: DiskId, doubt: u64) -> Result<(), StorageError> {
        self.ended.lock().unwrap().push((disk, doubt));
        Ok(())
    }

    async fn start_scrub(&self, disk: DiskId) -> Result<(), StorageError> {
        Err(StorageError::new(StorageErrorKind::Refused, disk, ""))
    }

    async fn describe_shard(&self, disk: DiskId, _: ShardId) -> Result<ShardHeader, StorageError> {
        Err(StorageError::new(StorageErrorKind::Missing, disk, ""))
    }

    async fn rebuild_shard(&self, order: RebuildOrder) -> Result<RebuildReport, StorageError> {
        Err(StorageError::new(StorageErrorKind::Refused, order.disk, ""))
    }

    async fn status(&self) -> Result<NodeStatus, StorageError> {
        Ok(node_status(DiskState::Active))
    }
}

fn disk(n: u8) -> DiskId {
    DiskId::from_random([n; 16])
}

pub(super) fn node() -> NodeId {
    NodeId::from_random([9; 16])
}

pub(super) fn node_status(state: DiskState) -> NodeStatus {
    let status = |n| DiskStatus {
        disk: disk(n),
        path: format!("/disk{n}"),
        state,
        reason: String::new(),
        capacity_bytes: 1 << 30,
        used_bytes: 0,
        shards: 0,
        scrub: None,
        refused_hanging: 0,
        doubt: None,
    };
    NodeStatus { node: node(), disks: (1..=2).map(status).collect(), cluster: None, seen: Vec::new() }
}

pub(super) fn registration() -> RegisterNode {
    let register = |n| DiskRegistration {
        id: disk(n),
        path: format!("/disk{n}"),
        capacity_bytes: 1 << 30,
        state: DiskState::Active,
    };
    RegisterNode {
        cluster: None,
        node: node(),
        name: "node9".into(),
        rpc_addr: String::new(),
        labels: Labels::default(),
        disks: (1..=2).map(register).collect(),
        release: Release::current(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_let_go_of_is_deleted_once_every_disk_has_answered() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    let deletions = Arc::new(Deletions::default());
    storage.add_local(node(), Arc::clone(&deletions) as Arc<dyn StorageNode>);
    let quick = Options { reclaim_grace: Duration::ZERO, ..options(dir.path()) };
    let metadata = start_with(quick, storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    *deletions.failing.lock().unwrap() = Some(disk(2));
    let committed = metadata.run(commit(session, 0, "a")).await.unwrap();
    metadata.run(commit(session, 5, "kept")).await.unwrap();
    let deletion = DeleteObject {
        bucket: bucket(),
        key: ObjectKey::new("a").unwrap(),
        precondition: Precondition::default(),
        version: None,
        revision: None,
    };
    metadata.run(deletion).await.unwrap();
    eventually("disk 1 is told", async || !deletions.orders.lock().unwrap().is_empty()).await;
    let entries = async || metadata.ask(GetClusterStatus {}).await.unwrap().reclaim_entries;
    eventually("what disk 2 holds waits by itself", async || entries().await == 2).await;
    *deletions.failing.lock().unwrap() = None;
    eventually("the entry is finished", async || entries().await == 0).await;
    let orders = deletions.orders.lock().unwrap().clone();
    for (disk_n, index) in [(1, 0), (2, 1)] {
        let told: Vec<_> = orders.iter().filter(|(d, _)| *d == disk(disk_n)).collect();
        let shards = [0, 1].map(|n| ShardId { extent: ExtentId::new(session, n), index });
        assert!(told.iter().all(|(_, order)| order.shards == shards), "{told:?}");
        assert!(
            told.iter().all(|(_, order)| matches!(order.proof, DeleteProof::Committed(c) if c > committed.sequence))
        );
        assert!(!told.is_empty());
    }
    assert_eq!(metadata.ask(get("kept")).await.unwrap().located.len(), 2);
}

/// I24: a disk that hangs delays only itself. The silence of another node is noticed, and the other disks delete.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_hangs_blinds_nobody() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    let deletions = Arc::new(Deletions { hanging: Mutex::new(Some(disk(2))), ..Deletions::default() });
    storage.add_local(node(), Arc::clone(&deletions) as Arc<dyn StorageNode>);
    let node_silence = Duration::from_millis(500);
    let quick = Options { reclaim_grace: Duration::ZERO, node_silence, ..options(dir.path()) };
    let metadata = start_with(quick, storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    let other = NodeId::from_random([8; 16]);
    let disks = vec![DiskRegistration { id: disk(3), ..registration().disks[0].clone() }];
    metadata.run(RegisterNode { node: other, name: "node8".into(), disks, ..registration() }).await.unwrap();
    let orders = |wanted| deletions.orders.lock().unwrap().iter().filter(|(told, _)| *told == disk(wanted)).count();
    for round in 0..3u64 {
        metadata.run(commit(session, 10 * round, "a")).await.unwrap();
        let key = ObjectKey::new("a").unwrap();
        let deletion = DeleteObject {
            bucket: bucket(),
            key,
            precondition: Precondition::default(),
            version: None,
            revision: None,
        };
        metadata.run(deletion).await.unwrap();
        eventually("the disk that works deletes", async || {
            metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
            orders(1) > round as usize
        })
        .await;
    }
    assert_eq!(orders(2), 1, "the disk that hangs has one order under way");
    eventually("silence is noticed", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        let map = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap();
        map.disks.iter().map(|disk| disk.state).eq([DiskState::Active, DiskState::Active, DiskState::Unavailable])
    })
    .await;
}

/// I13: what is committed while a view is read is newer than the proof for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_proof_is_never_newer_than_its_view() {
    let dir = TempDir::new().unwrap();
    let metadata = start(dir.path()).await;
    let session = prepare(&metadata).await;
    let (looking, looks) = tokio::sync::oneshot::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel();
    let leader = Arc::clone(metadata.leader());
    let proven = tokio::spawn(async move {
        let look = move |_: &crate::state::tables::View| {
            looking.send(()).unwrap();
            goes_on.recv().unwrap();
            Ok::<_, crate::error::StoreError>(())
        };
        leader.prove(look).await.unwrap().1
    });
    looks.await.unwrap();
    let committed = metadata.run(commit(session, 0, "a")).await.unwrap();
    go_on.send(()).unwrap();
    let proof = proven.await.unwrap();
    assert!(matches!(proof, DeleteProof::Committed(commit) if commit < committed.sequence), "{proof:?}");
}

/// The node of `Deletions` has no shard of what was committed.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_verification_finds_missing_is_queued_for_repair() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    storage.add_local(node(), Arc::new(Deletions::default()));
    let metadata = start_with(options(dir.path()), storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    metadata.run(commit(session, 0, "a")).await.unwrap();
    assert_eq!(metadata.ask(GetRepairQueue { limit: 10 }).await.unwrap(), []);
    let number = metadata.ask(GetVerification { start: true }).await.unwrap().begun;
    let mut report: Option<VerifyReport> = None;
    eventually("the verification ends", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        let seen = metadata.ask(GetVerification { start: false }).await.unwrap();
        assert_eq!(seen.begun, number);
        report = seen.report;
        report.is_some()
    })
    .await;
    let missing: Vec<u64> = report.unwrap().disks.iter().map(|disk| disk.missing).collect();
    assert_eq!(missing, [2, 2]);
    let queued = metadata.ask(GetRepairQueue { limit: 10 }).await.unwrap();
    let queued: Vec<_> = queued.iter().map(|entry| (entry.extent, entry.index, entry.cause)).collect();
    let shards = [(0, 0), (0, 1), (1, 0), (1, 1)];
    assert_eq!(queued, shards.map(|(n, index)| (ExtentId::new(session, n), index, 2)));
}

/// A disk that is in service and doubts what it has is compared with metadata without being taken out of service.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_doubts_what_it_has_is_compared_once() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    let deletions = Arc::new(Deletions::default());
    storage.add_local(node(), Arc::clone(&deletions) as Arc<dyn StorageNode>);
    let metadata = start_with(options(dir.path()), storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    metadata.run(commit(session, 0, "a")).await.unwrap();
    let report = |doubt| {
        let mut status = node_status(DiskState::Active);
        status.disks[1].doubt = doubt;
        metadata.signal(Signal::Heartbeat(status))
    };
    report(Some(77)).await.unwrap();
    eventually("the disk is told", async || !deletions.ended.lock().unwrap().is_empty()).await;
    for _ in 0..5 {
        report(None).await.unwrap();
        metadata.leader().wake_jobs();
    }
    assert_eq!(*deletions.ended.lock().unwrap(), [(disk(2), 77)]);
    let queued = metadata.ask(GetRepairQueue { limit: 10 }).await.unwrap();
    let queued: Vec<_> = queued.iter().map(|entry| (entry.extent, entry.index, entry.cause)).collect();
    assert_eq!(queued, [(0, 1), (1, 1)].map(|(n, index)| (ExtentId::new(session, n), index, 2)), "only of that disk");
    let map = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap();
    assert!(map.disks.iter().all(|disk| disk.state == DiskState::Active));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_disk_lacks_is_found_without_being_asked_for() {
    let dir = TempDir::new().unwrap();
    let storage = StorageDirectory::new(rpc(SECRET));
    storage.add_local(node(), Arc::new(Deletions::default()));
    let often = Options { comparison_period: Duration::from_millis(20), ..options(dir.path()) };
    let metadata = start_with(often, storage).await;
    let session = prepare(&metadata).await;
    metadata.run(registration()).await.unwrap();
    metadata.run(commit(session, 0, "a")).await.unwrap();
    eventually("both disks had their turn", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        metadata.ask(GetRepairQueue { limit: 10 }).await.unwrap().len() == 4
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disk_states_follow_heartbeats_and_silence() {
    let dir = TempDir::new().unwrap();
    let short = Options { node_silence: Duration::from_millis(500), ..options(dir.path()) };
    let storage = StorageDirectory::new(rpc(SECRET));
    storage.add_local(node(), Arc::new(Deletions::default()));
    let metadata = start_with(short, storage).await;
    metadata.run(registration()).await.unwrap();
    let states = async || {
        let map = metadata.ask(GetClusterMap { known: Epoch(0) }).await.unwrap().unwrap();
        map.disks.iter().map(|disk| disk.state).collect::<Vec<_>>()
    };
    for state in [DiskState::Active, DiskState::Full, DiskState::Active] {
        eventually("the report is believed", async || {
            metadata.signal(Signal::Heartbeat(node_status(state))).await.unwrap();
            states().await == [state; 2]
        })
        .await;
    }
    eventually("silence is noticed", async || states().await == [DiskState::Unavailable; 2]).await;
    metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
    eventually("the node is back and reconciled", async || {
        metadata.signal(Signal::Heartbeat(node_status(DiskState::Active))).await.unwrap();
        states().await == [DiskState::Active; 2]
    })
    .await;
}
