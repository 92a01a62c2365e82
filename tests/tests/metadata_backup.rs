//! Backups of the metadata through the command line, the loss of every member, and what is restored and recovered (I15,
//! I16).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::time::Duration;

use bytes::Bytes;
use cairn_cli::admin::{FindingKind, Reconciled};
use cairn_core::storage_class::StorageClass;
use cairn_tests::storage_class::{class_of, put_as, put_parts_as};
use cairn_tests::tool::Tool;
use cairn_tests::{AllInOne, Content, Dataset, ProcessCluster, Tuning, verify_body};

const BUCKET: &str = "kept";
/// The empty object of a dataset.
const EMPTY: &str = "size/0";
const LIMIT: Duration = Duration::from_mins(1);

fn verb(server: &AllInOne, arguments: &[&str]) -> Tool {
    let keys = server.credentials();
    Tool::new(cairn_tests::cairn().to_str().unwrap(), server)
        .args(arguments)
        .env("CAIRN_ENDPOINT", format!("http://127.0.0.1:{}", server.admin_port()))
        .env("CAIRN_ACCESS_KEY", keys.access_key.clone())
        .env("CAIRN_SECRET_KEY", keys.secret_key.expose())
}

/// Waits for the comparison of the restored service with the disks, and returns its result.
async fn compared(server: &AllInOne) -> Reconciled {
    let mut done = None;
    cairn_tests::wait_until("the restored service is compared with the disks", LIMIT, async || {
        done = server.admin().metadata_members().await.ok().and_then(|members| members.reconciled);
        done.is_some()
    })
    .await;
    done.unwrap()
}

/// Removes every redb file of the process.
fn lose_metadata(server: &AllInOne) {
    std::fs::remove_dir_all(server.data().join("metadata")).unwrap();
}

/// Objects with storage classes, stored before and after a backup.
struct Classed;

impl Classed {
    const BUCKET: &str = "classed";
    const BEFORE: StorageClass = StorageClass::StandardIa;
    const WHOLE: StorageClass = StorageClass::GlacierIr;
    const PARTS: StorageClass = StorageClass::OnezoneIa;

    async fn begin(server: &AllInOne) -> Self {
        let mut client = server.client();
        client.create_bucket(Self::BUCKET).await.unwrap();
        let body = Content::new(8, 300_000).bytes();
        put_as(&mut client, Self::BUCKET, "before", Self::BEFORE, body).await.unwrap();
        Self
    }

    async fn store_later(&self, server: &AllInOne) {
        let (mut client, body) = (server.client(), Content::new(9, 6 << 20).bytes());
        put_as(&mut client, Self::BUCKET, "whole", Self::WHOLE, body.clone()).await.unwrap();
        put_parts_as(&mut client, Self::BUCKET, "parts", Self::PARTS, &[body.clone(), body]).await.unwrap();
    }

    async fn assert_kept(&self, server: &AllInOne, when: &str) {
        for (key, class) in [("before", Self::BEFORE), ("whole", Self::WHOLE), ("parts", Self::PARTS)] {
            let found = class_of(&mut server.client(), Self::BUCKET, key).await.unwrap();
            assert_eq!(found, class, "I16: {key} keeps its class {when}");
        }
    }
}

/// I16: the metadata is lost together with every redb file, twice. What the store itself holds is enough: first its newest
/// backup and the descriptors of what came later, then the descriptors alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_metadata_comes_back_from_the_disks() {
    let mut server = AllInOne::start_with(Tuning::default()).await;
    let (account, data) = (server.account(), server.data());
    let before = Dataset::store(&account, BUCKET, cairn_tests::seed()).await;
    let classed = Classed::begin(&server).await;
    let said = verb(&server, &["metadata", "backup", "--in-store"]).run();
    assert!(said.contains("read back"), "{said}");
    classed.store_later(&server).await;
    let later = Dataset::store(&account, "later", cairn_tests::seed() + 1).await;
    server.client().create_bucket("again").await.unwrap();
    for n in [76, 77] {
        server.client().put("again", "twice", Content::new(n, 300_000).bytes()).await.unwrap();
    }
    assert!(server.client().list_all(".cairn", "").await.is_err(), "no request can name the system's bucket");

    let offline = |server: &AllInOne, arguments: &[&str]| {
        let ran = verb(server, &[&["metadata"], arguments].concat()).arg("--data").arg(&data).output();
        assert!(ran.status.success(), "{ran:?}");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    };
    for verb_and_flags in [&["restore", "--from-disks"][..], &["rebuild", "--i-have-no-backup"]] {
        server.kill();
        lose_metadata(&server);
        let said = offline(&server, verb_and_flags);
        assert!(said.contains("restored") || said.contains("6 disks"), "{said}");
        server.start_again().await;
        let done = compared(&server).await;
        let when = format!("after {verb_and_flags:?}, {done:?}");
        assert!(done.recovered > 0 && done.unreadable == 0, "{when}");
        // An empty object has no shard to name it, so only a backup has it.
        let is_restored = verb_and_flags[0] == "restore";
        for (dataset, in_backup) in [(&before, is_restored), (&later, false)] {
            let empty = server.client().head(dataset.bucket(), EMPTY).await;
            assert_eq!(empty.is_ok(), in_backup, "{when}");
            server.client().put(dataset.bucket(), EMPTY, Bytes::new()).await.unwrap();
        }
        before.assert_reads(&account, &when).await;
        later.assert_reads(&account, &when).await;
        let mut client = server.client();
        classed.assert_kept(&server, &when).await;
        let body = client.get("again", "twice").await.unwrap();
        verify_body(body, Content::new(77, 300_000), 0..300_000).await.unwrap();
        let findings = server.admin().metadata_findings(None).await.unwrap();
        let recovered = findings.iter().filter(|finding| finding.kind == FindingKind::Recovered).count() as u64;
        assert_eq!(recovered, done.recovered, "I16: recovered objects are listed");
        if server.admin().metadata_members().await.unwrap().deletions_held {
            verb(&server, &["metadata", "resume-deletions"]).run();
        }
        cairn_tests::eventually(&format!("everything is whole {when}"), LIMIT, async || {
            let report = server.admin().verify(|_| {}).await.map_err(|e| e.to_string())?;
            if report.is_healthy() { Ok(()) } else { Err(format!("{report:?}")) }
        })
        .await;
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_metadata_is_restored_from_a_backup_and_later_objects_come_back() {
    // Nodes search for garbage every second, so shards that must be kept would soon be deleted.
    let mut server = AllInOne::start_with(Tuning::default()).await;
    let mut client = server.client();
    client.create_bucket(BUCKET).await.unwrap();
    let content = |n: u64| Content::new(n, 1000 + 50_000 * n);
    for n in 0..12 {
        client.put(BUCKET, &format!("key{n}"), content(n).bytes()).await.unwrap();
    }
    let file = server.workdir().join("backup");
    let said = verb(&server, &["metadata", "backup"]).arg(&file).run();
    assert!(said.contains("12 objects"), "{said}");
    assert!(!verb(&server, &["metadata", "backup"]).arg(&file).output().status.success(), "never overwritten");
    let endpoint = server.s3_endpoint().to_string();
    let said = verb(&server, &["metadata", "backup", "s3://kept/backup", "--s3-endpoint", &endpoint]).run();
    assert!(said.contains("12 objects"), "{said}");
    client.put(BUCKET, "later", Bytes::from_static(b"after the backup")).await.unwrap();

    let data = server.data();
    let restore =
        |server: &AllInOne| verb(server, &["metadata", "restore"]).arg(&file).arg("--data").arg(&data).output();
    let refused = restore(&server);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use"), "{refused:?}");
    server.kill();
    assert!(!restore(&server).status.success(), "an existing member is not overwritten");
    std::fs::remove_dir_all(data.join("metadata")).unwrap();
    server.spawn();
    let status = server.process().wait_exit().await;
    assert!(!status.success() && server.process().log_text().contains("restore a backup"), "I15: never starts empty");
    server.kill();
    let restored = restore(&server);
    assert!(restored.status.success(), "{restored:?}");
    server.start_again().await;

    let mut client = server.client();
    for n in 0..12 {
        let body = client.get(BUCKET, &format!("key{n}")).await.unwrap();
        verify_body(body, content(n), 0..content(n).length).await.unwrap();
    }
    assert!(server.admin().metadata_members().await.unwrap().deletions_held);
    // Shards that the backup does not know would be garbage within a second if deletions were not held.
    let done = compared(&server).await;
    assert_eq!((done.recovered, done.kept, done.unreadable), (2, 0, 0), "the object, and the backup in the bucket");
    let body = client.get(BUCKET, "later").await.unwrap();
    assert_eq!(body.collect().await.unwrap(), Bytes::from_static(b"after the backup"));
    let said = verb(&server, &["metadata", "findings"]).run();
    assert!(said.contains("recovered") && said.contains("later"), "{said}");
    // Everything was found, so deletions resume by themselves, and only deleted objects are reclaimed.
    assert!(!server.admin().metadata_members().await.unwrap().deletions_held);
    let shards = async || server.admin().disks().await.unwrap().iter().map(|disk| disk.shards).sum::<u64>();
    let before = shards().await;
    client.delete(BUCKET, "key11").await.unwrap();
    cairn_tests::wait_until("deleted shards are gone", LIMIT, async || shards().await == before - 6).await;
    assert!(server.admin().verify(|_| {}).await.unwrap().is_healthy());
    server.stop().await;
}

/// I15, I16: three members and their disks are lost while gateways and storage nodes run. One member is restored from
/// the nodes, and objects written after the backup come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_lost_members_are_restored_from_the_backup_on_the_storage_nodes() {
    let mut cluster = ProcessCluster::builder().members(3).nodes(4).gateways(1).start().await;
    let before = Dataset::store(&cluster.account(0), BUCKET, cairn_tests::seed()).await;
    let leader = cluster.metadata_leader().await;
    cluster.metadata_admin(leader).store_metadata_backup().await.unwrap();
    cluster.client(0).create_bucket("after").await.unwrap();
    cluster.client(0).put("after", "later", Content::new(5, 400_000).bytes()).await.unwrap();
    for member in 0..3 {
        cluster.kill_metadata_member(member);
        std::fs::remove_dir_all(cluster.metadata_dir(member)).unwrap();
    }
    let config = cluster.metadata_config(0);
    let addresses = cluster.node_addrs();
    let mut arguments = vec!["metadata", "restore", "--from-disks", "--config", config.to_str().unwrap()];
    for addr in &addresses {
        arguments.extend(["--node", addr]);
    }
    let restored = cluster.verb(0, &arguments);
    let said = String::from_utf8_lossy(&restored.stderr);
    assert!(restored.status.success() && said.contains("4 disks of 4 nodes"), "{said}");
    cluster.start_metadata(0).await;
    let mut done = None;
    cairn_tests::wait_until("the service is compared with the disks", LIMIT, async || {
        done = cluster.metadata_admin(0).metadata_members().await.ok().and_then(|members| members.reconciled);
        done.is_some()
    })
    .await;
    assert_eq!(done.map(|done| (done.recovered > 0, done.unreadable)), Some((true, 0)));
    before.assert_reads(&cluster.account(0), "after the restoration").await;
    let mut client = cluster.client(0);
    let body = client.get("after", "later").await.unwrap();
    verify_body(body, Content::new(5, 400_000), 0..400_000).await.unwrap();
    cluster.stop().await;
}

/// I12, I15: the whole service is started from an old copy, and the operator does not declare it. The storage nodes
/// notice, delete nothing and take no writes. Once the operator accepts the loss, later objects come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_started_from_an_old_copy_is_noticed_and_does_no_harm() {
    let mut server = AllInOne::start_with(Tuning::default()).await;
    let (data, copy) = (server.data(), server.workdir().join("copy"));
    server.client().create_bucket(BUCKET).await.unwrap();
    let content = |n: u64| Content::new(n, 200_000);
    server.client().put(BUCKET, "key0", content(0).bytes()).await.unwrap();
    server.stop().await;
    let copied = std::process::Command::new("cp").arg("-a").args([data.join("metadata"), copy.clone()]).status();
    assert!(copied.unwrap().success());
    server.start_again().await;
    for n in 1..4 {
        server.client().put(BUCKET, &format!("key{n}"), content(n).bytes()).await.unwrap();
    }
    server.stop().await;

    lose_metadata(&server);
    std::fs::rename(&copy, data.join("metadata")).unwrap();
    server.start_again().await;
    let put = server.client().put(BUCKET, "key0", content(9).bytes()).await;
    assert!(put.is_err(), "it would reuse the shard ids of writes after the copy");
    // Its commit numbers pass those that the nodes have seen, so that only the history differs.
    for n in 0..60 {
        server.client().create_bucket(&format!("bucket{n}")).await.unwrap();
    }
    cairn_tests::wait_until("the node logs the other history", LIMIT, async || {
        server.process().log_text().contains("another history than the one that led")
    })
    .await;
    let shards = async || server.admin().disks().await.unwrap().iter().map(|disk| disk.shards).sum::<u64>();
    let before = shards().await;
    server.client().delete(BUCKET, "key0").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(shards().await, before, "nothing is deleted");
    server.stop().await;

    let accept = ["metadata", "recover", "--force-single", "--i-accept-the-loss-of-acknowledged-writes"];
    let recovered = verb(&server, &accept).arg("--data").arg(&data).output();
    assert!(recovered.status.success(), "{recovered:?}");
    server.start_again().await;
    compared(&server).await;
    let mut client = server.client();
    for n in 1..4 {
        let body = client.get(BUCKET, &format!("key{n}")).await.unwrap();
        verify_body(body, content(n), 0..content(n).length).await.unwrap();
    }
    client.put(BUCKET, "more", content(7).bytes()).await.unwrap();
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_members_continues_alone_and_the_others_are_refused() {
    let mut cluster = ProcessCluster::builder().members(3).nodes(3).gateways(1).start().await;
    let mut client = cluster.client(0);
    client.create_bucket(BUCKET).await.unwrap();
    for n in 0..10 {
        client.put(BUCKET, &format!("key{n}"), Bytes::from_static(b"x")).await.unwrap();
    }
    let left = cluster.metadata_leader().await;
    for member in 0..3 {
        cluster.kill_metadata_member(member);
    }
    let recover = ["metadata", "recover", "--force-single"];
    let config = cluster.metadata_config(left);
    let config = config.to_str().unwrap();
    let unsure = cluster.verb(left, &[&recover[..], &["--config", config]].concat());
    assert!(!unsure.status.success(), "refused without accepting the loss");
    let sure = ["--i-accept-the-loss-of-acknowledged-writes", "--config", config];
    let recovered = cluster.verb(left, &[&recover[..], &sure[..]].concat());
    assert!(recovered.status.success(), "{}", String::from_utf8_lossy(&recovered.stderr));
    assert!(String::from_utf8_lossy(&recovered.stderr).contains("NEVER START AGAIN"));
    cluster.start_metadata(left).await;
    cairn_tests::wait_until("the member serves", LIMIT, async || {
        cluster.client(0).list_all(BUCKET, "").await.is_ok_and(|keys| keys.len() == 10)
    })
    .await;
    // The other members start again after all.
    for member in (0..3).filter(|member| *member != left) {
        cluster.spawn_metadata(member);
        cairn_tests::wait_until("the member is refused", LIMIT, async || {
            cluster.metadata_process(member).unwrap().log_text().contains("of the life before")
        })
        .await;
    }
    // The gateway's session ended with the old group, so it opens another.
    cairn_tests::wait_until("writes continue", LIMIT, async || {
        cluster.client(0).put(BUCKET, "more", Bytes::from_static(b"x")).await.is_ok()
    })
    .await;
    cluster.stop().await;
}
