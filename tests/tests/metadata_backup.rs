//! Backups of the metadata through the command line, the loss of every member, and what is restored and recovered (I15,
//! I16).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use bytes::Bytes;
use cairn_tests::tool::Tool;
use cairn_tests::{AllInOne, Content, ProcessCluster, Shape, Tuning, verify_body};

const BUCKET: &str = "kept";

fn verb(server: &AllInOne, arguments: &[&str]) -> Tool {
    let keys = server.credentials();
    Tool::new(cairn_tests::cairn().to_str().unwrap(), server)
        .args(arguments)
        .env("CAIRN_ENDPOINT", format!("http://127.0.0.1:{}", server.admin_port()))
        .env("CAIRN_ACCESS_KEY", keys.access_key.clone())
        .env("CAIRN_SECRET_KEY", keys.secret_key.expose())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_metadata_is_restored_from_a_backup_and_what_came_after_it_is_kept_on_the_disks() {
    // Garbage is looked for every second: what must not be deleted would be.
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
    assert!(!restore(&server).status.success(), "a member that is there is not overwritten");
    std::fs::remove_dir_all(data.join("metadata")).unwrap();
    server.spawn();
    let status = server.process().wait_exit().await;
    assert!(!status.success() && server.process().log_text().contains("restore a backup"), "I15: never starts afresh");
    server.kill();
    let restored = restore(&server);
    assert!(restored.status.success(), "{restored:?}");
    server.start_again().await;

    let mut client = server.client();
    for n in 0..12 {
        let body = client.get(BUCKET, &format!("key{n}")).await.unwrap();
        verify_body(body, content(n), 0..content(n).length).await.unwrap();
    }
    assert_eq!(client.get(BUCKET, "later").await.unwrap_err().code(), "NoSuchKey");
    client.put(BUCKET, "key0", Bytes::from_static(b"again")).await.unwrap();
    let mut admin = server.admin();
    assert!(admin.metadata_members().await.unwrap().deletions_held);
    let shards = |disks: Vec<cairn_cli::admin::DiskEntry>| disks.iter().map(|disk| disk.shards).sum::<u64>();
    let before = shards(admin.disks().await.unwrap());
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(shards(admin.disks().await.unwrap()) >= before, "nothing is deleted before somebody says so");
    verb(&server, &["metadata", "resume-deletions"]).run();
    cairn_tests::wait_until(
        "what the backup does not know is collected",
        std::time::Duration::from_mins(1),
        async || shards(server.admin().disks().await.unwrap()) < before,
    )
    .await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_three_members_goes_on_alone_and_the_others_are_refused() {
    let mut cluster = ProcessCluster::start_with(Shape { metadata: 3, nodes: 3, gateways: 1 }).await;
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
    assert!(!unsure.status.success(), "not without saying what it costs");
    let sure = ["--i-accept-the-loss-of-acknowledged-writes", "--config", config];
    let recovered = cluster.verb(left, &[&recover[..], &sure[..]].concat());
    assert!(recovered.status.success(), "{}", String::from_utf8_lossy(&recovered.stderr));
    assert!(String::from_utf8_lossy(&recovered.stderr).contains("NEVER START AGAIN"));
    cluster.start_metadata(left).await;
    cairn_tests::wait_until("it serves", std::time::Duration::from_mins(1), async || {
        cluster.client(0).list_all(BUCKET, "").await.is_ok_and(|keys| keys.len() == 10)
    })
    .await;
    // The others come back after all.
    for member in (0..3).filter(|member| *member != left) {
        cluster.spawn_metadata(member);
        cairn_tests::wait_until("it is refused", std::time::Duration::from_mins(1), async || {
            cluster.metadata_process(member).unwrap().log_text().contains("of the life before")
        })
        .await;
    }
    // The gateway's session ended with the life before; it opens another one.
    cairn_tests::wait_until("writes go on", std::time::Duration::from_mins(1), async || {
        cluster.client(0).put(BUCKET, "more", Bytes::from_static(b"x")).await.is_ok()
    })
    .await;
    cluster.stop().await;
}
