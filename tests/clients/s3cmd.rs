//! s3cmd.

use cairn_tests::tool::{Tool, sha256};
use cairn_tests::{AllInOne, Content, seed};

fn s3cmd(server: &AllInOne) -> Tool {
    let host = server.s3_endpoint().authority().to_owned();
    Tool::new("s3cmd", server).args(["--no-ssl", "--no-progress", "--host", &host, "--host-bucket", &host])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn files_are_put_and_got() {
    let server = AllInOne::start().await;
    let seed = seed();
    s3cmd(&server).args(["mb", "s3://s3cmd"]).run();
    // s3cmd sends more than 15 MiB in parts.
    for size in [0u64, 5, 100_000, 40 << 20] {
        let (file, back) = (server.workdir().join("file"), server.workdir().join("back"));
        std::fs::write(&file, Content::new(seed, size).bytes()).unwrap();
        let url = format!("s3://s3cmd/file {size}");
        s3cmd(&server).arg("put").arg(&file).arg(&url).run();
        s3cmd(&server).args(["get", "--force", &url]).arg(&back).run();
        assert_eq!(sha256(&back), sha256(&file), "{size} bytes");
    }
    let listed = s3cmd(&server).args(["ls", "s3://s3cmd"]).run();
    assert_eq!(listed.lines().count(), 4, "{listed}");
    s3cmd(&server).args(["del", "--recursive", "--force", "s3://s3cmd"]).run();
    s3cmd(&server).args(["rb", "s3://s3cmd"]).run();
}
