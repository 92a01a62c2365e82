//! The same node, called over real HTTP (I6, I9, I22).

use cairn_core::testing::commit_at;
use cairn_protocol::net::testing::LoopbackNetwork;
use cairn_protocol::net::{Connect, Listen};
use cairn_protocol::rpc::testing::client_of;
use cairn_protocol::rpc::{HttpStorageNode, Roles, RpcError, StatusRequest, StoragePath};
use cairn_protocol::storage::{DeleteOrder, DeleteProof, NodeStatus, StorageError, StorageErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::disk_io::Operation;
use crate::service::router;

const SECRET: &str = "the cluster's own secret";

struct Served {
    _directory: tempfile::TempDir,
    node: Handle,
    disk: DiskId,
    addr: String,
}

async fn serve() -> Served {
    serve_with(clock(), 0).await
}

async fn serve_with(clock: Arc<TestClock>, reserve_bytes: u64) -> Served {
    let directory = tempfile::tempdir().unwrap();
    let metadata = Arc::new(MemoryMetadata::new(1));
    let options = Options { reserve_bytes: Some(reserve_bytes), ..options(directory.path(), 1) };
    let dependencies = Dependencies { clock, ..dependencies(&metadata) };
    let node = StorageNodeService::start(options, dependencies).unwrap();
    let disk = wait(|| async { node.status().await.unwrap().disks.first().map(|d| d.disk).ok_or(()) }).await;
    wait(|| async { if node.is_ready() { Ok(()) } else { Err(()) } }).await;
    let listener = LoopbackNetwork.bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    tokio::spawn(cairn_protocol::rpc::testing::serve(listener, SECRET, router(node.clone())));
    Served { _directory: directory, node, disk, addr }
}

fn client(addr: &str) -> HttpStorageNode {
    HttpStorageNode::new(client_of(SECRET, Roles::ANY), addr)
}

#[tokio::test]
async fn every_call_does_over_http_what_it_does_directly() {
    let Served { node, disk, addr, .. } = &serve().await;
    let (disk, remote) = (*disk, client(addr));
    for (n, bytes) in [(1, 1), (2, 4096), (3, 65_536), (4, 65_537), (5, 600_000), (6, 3_000_000)] {
        put(&remote, disk, shard(1, n), bytes).await;
        check(node, disk, shard(1, n), bytes).await;
        check(&remote, disk, shard(1, n), bytes).await;
    }
    let (header, cells) = content(shard(1, 7), 2_000_000);
    let mut writer = remote.open_shard(disk, header.clone()).await.unwrap();
    for cell in &cells {
        writer.append(vec![cell.clone()]).await.unwrap();
    }
    writer.finish().await.unwrap();
    let some = remote.read_cells(disk, shard(1, 7), header.geometry, 3..9).await.unwrap();
    assert!(some == cells[3..9]);

    let order = DeleteOrder { proof: DeleteProof::Committed(commit_at(100)), shards: vec![shard(1, 2)] };
    remote.delete_shards(disk, order).await.unwrap();
    let ids: Vec<ShardId> = [1, 3, 4, 5, 6, 7].map(|n| shard(1, n)).to_vec();
    assert_eq!(remote.inventory(disk, None, 100).await.unwrap(), ids);
    assert_eq!(remote.inventory(disk, Some(ids[1]), 2).await.unwrap(), ids[2..4]);
    assert_eq!(remote.status().await.unwrap().node, node.id());
    remote.start_scrub(disk).await.unwrap();
    wait(|| async {
        let scrub = remote.status().await.unwrap().disks[0].scrub.clone().ok_or(())?;
        scrub.last.filter(|last| last.shards == 6).map(drop).ok_or(())
    })
    .await;
}

#[tokio::test]
async fn errors_keep_their_kind_over_the_wire() {
    let Served { disk, addr, .. } = &serve().await;
    let (disk, remote) = (*disk, client(addr));
    let check = |result: Result<(), StorageError>, kind| assert_eq!(result.unwrap_err().kind, kind);
    let geometry = content(shard(1, 1), 100).0.geometry;
    let read = |disk, stripes| {
        let remote = &remote;
        async move { remote.read_cells(disk, shard(1, 1), geometry, stripes).await.map(drop) }
    };
    check(read(disk, 0..1).await, StorageErrorKind::Missing);
    check(read(disk, 0..9).await, StorageErrorKind::Invalid);
    check(read(DiskId::from_random([9; 16]), 0..1).await, StorageErrorKind::NoSuchDisk);
    let (header, cells) = content(shard(1, 1), 3_000_000);
    let elsewhere = DiskId::from_random([9; 16]);
    let refused = remote.put_shard(elsewhere, header.clone(), cells.clone()).await.unwrap_err();
    assert!(matches!(refused.kind, StorageErrorKind::NoSuchDisk | StorageErrorKind::Unreachable), "{refused}");
    check(remote.put_shard(disk, header.clone(), cells[..2].to_vec()).await, StorageErrorKind::Invalid);
    let order = DeleteOrder { proof: DeleteProof::Aborted(SessionId(5)), shards: vec![shard(1, 1)] };
    check(remote.delete_shards(disk, order).await, StorageErrorKind::Refused);
    check(client("127.0.0.1:1").put_shard(disk, header, cells).await, StorageErrorKind::Unreachable);
}

#[tokio::test]
async fn a_shard_that_is_cut_off_leaves_nothing() {
    let Served { node, disk, addr, .. } = &serve().await;
    let (disk, remote) = (*disk, client(addr));
    for n in 0..5 {
        let (header, cells) = content(shard(1, n), 2_000_000);
        let mut writer = remote.open_shard(disk, header).await.unwrap();
        writer.append(cells[..n as usize].to_vec()).await.unwrap();
        drop(writer);
    }
    put(&remote, disk, shard(1, 9), 100).await;
    assert_eq!(node.inventory(disk, None, 100).await.unwrap(), [shard(1, 9)]);
}

/// Whoever streams a shard learns before he sends a byte of it that the disk does not take it, and why.
#[tokio::test]
async fn a_disk_that_refuses_says_so_when_a_shard_is_opened() {
    let clock = clock();
    let Served { node, disk, addr, .. } = &serve_with(Arc::clone(&clock), 0).await;
    let (disk, remote) = (*disk, client(addr));
    let (header, cells) = content(shard(1, 1), 2_000_000);
    let check = async |disk, header: &ShardHeader, expected: StorageErrorKind| {
        let opened = remote.open_shard(disk, header.clone()).await.map(drop);
        assert_eq!(opened.map_err(|error| error.kind), Err(expected));
    };
    check(DiskId::from_random([9; 16]), &header, StorageErrorKind::NoSuchDisk).await;
    let mut impossible = header.clone();
    impossible.geometry.cell_bytes = 8 << 20;
    check(disk, &impossible, StorageErrorKind::Invalid).await;
    let latency = node.latency(disk);
    let stuck = latency.time(Operation::Read);
    clock.advance(Duration::from_secs(30));
    check(disk, &header, StorageErrorKind::Hanging).await;
    drop(stuck);
    // A refusal costs the connection and nothing else.
    let mut writer = remote.open_shard(disk, header).await.unwrap();
    writer.append(cells).await.unwrap();
    writer.finish().await.unwrap();

    let Served { disk, addr, .. } = &serve_with(super::clock(), 1 << 60).await;
    let full = client(addr).open_shard(*disk, content(shard(1, 1), 2_000_000).0).await.map(drop);
    assert_eq!(full.map_err(|error| error.kind), Err(StorageErrorKind::Full));
}

#[tokio::test]
async fn an_opened_shard_outlives_its_client() {
    let Served { node, disk, addr, .. } = &serve().await;
    let (header, cells) = content(shard(1, 1), 2_000_000);
    let mut writer = client(addr).open_shard(*disk, header).await.unwrap();
    for cell in cells {
        writer.append(vec![cell]).await.unwrap();
    }
    writer.finish().await.unwrap();
    check(node, *disk, shard(1, 1), 2_000_000).await;
}

/// Sends a status request over a plain connection and returns the response's status line.
async fn send_plainly(addr: &str) -> String {
    let mut stream = LoopbackNetwork.connect(addr).await.unwrap();
    let request = format!("POST {} HTTP/1.1\r\nhost: {addr}\r\ncontent-length: 0\r\n\r\n", StoragePath::STATUS);
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response).await;
    String::from_utf8_lossy(&response).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn requests_that_come_over_no_channel_are_refused() {
    let Served { addr, .. } = &serve().await;
    assert!(send_plainly(addr).await.contains("426"));
    let rpc = client_of("guess", Roles::ANY);
    let path = StoragePath::STATUS;
    let limit = Duration::from_secs(5);
    let answer = rpc.call::<_, NodeStatus, StorageError>(addr, path, &StatusRequest {}, limit).await;
    assert!(matches!(answer, Err(RpcError::NotConnected { .. })), "{answer:?}");
    let remote = HttpStorageNode::new(rpc, addr);
    let (header, cells) = content(shard(1, 1), 100);
    let disk = DiskId::from_random([1; 16]);
    assert_eq!(remote.put_shard(disk, header, cells).await.unwrap_err().kind, StorageErrorKind::Unreachable);
}

#[tokio::test]
async fn each_role_may_call_what_it_needs() {
    let Served { disk, addr, .. } = &serve().await;
    let (header, cells) = content(shard(1, 1), 100);
    let order = || DeleteOrder { proof: DeleteProof::Aborted(SessionId(5)), shards: vec![shard(1, 1)] };
    for (roles, may_write, may_scrub) in [
        (Roles::GATEWAY, true, false),
        (Roles::METADATA, true, false),
        (Roles::STORAGE_NODE, false, false),
        (Roles::ADMIN, false, true),
    ] {
        let remote = HttpStorageNode::new(client_of(SECRET, roles), addr);
        let written = remote.put_shard(*disk, header.clone(), cells.clone()).await;
        assert_eq!(written.is_ok(), may_write, "{roles}: {written:?}");
        let opened = remote.open_shard(*disk, header.clone()).await.map(drop);
        assert_eq!(opened.is_ok(), may_write, "{roles}: {opened:?}");
        let deleted = remote.delete_shards(*disk, order()).await.unwrap_err();
        assert_eq!(deleted.kind == StorageErrorKind::Refused, may_write, "{roles}: {deleted}");
        assert_eq!(remote.start_scrub(*disk).await.is_ok(), may_scrub, "{roles}");
        assert!(remote.status().await.is_ok(), "{roles}");
    }
}
