//! aws-cli and curl.

use std::io::Write;
use std::path::Path;

use cairn_tests::tool::{Tool, assert_same_tree, sha256};
use cairn_tests::{AllInOne, Content, seed};

use crate::tree::system_tree;

/// Bytes of the large file.
const LARGE_BYTES: u64 = 1 << 30;

fn aws(server: &AllInOne) -> Tool {
    Tool::new("aws", server).args(["s3"])
}

fn write_file(path: &Path, content: Content) {
    let mut file = std::fs::File::create(path).unwrap();
    let mut start = 0;
    while start < content.length {
        let end = (start + (8 << 20)).min(content.length);
        file.write_all(&content.slice(start..end)).unwrap();
        start = end;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_gibibyte_goes_in_and_out() {
    let server = AllInOne::start().await;
    let (large, back) = (server.workdir().join("large"), server.workdir().join("back"));
    write_file(&large, Content::new(seed(), LARGE_BYTES));
    aws(&server).args(["mb", "s3://first-light"]).run();
    aws(&server).arg("cp").arg(&large).args(["s3://first-light/large", "--no-progress"]).run();
    let listed = aws(&server).args(["ls", "s3://first-light"]).run();
    assert!(listed.contains(&LARGE_BYTES.to_string()) && listed.contains("large"), "{listed}");
    aws(&server).args(["cp", "s3://first-light/large"]).arg(&back).arg("--no-progress").run();
    let expected = sha256(&large);
    assert_eq!(sha256(&back), expected, "through aws-cli");

    let url = aws(&server).args(["presign", "s3://first-light/large"]).run();
    let curled = server.workdir().join("curled");
    Tool::new("curl", &server).args(["-sS", "--fail", "-o"]).arg(&curled).arg(url.trim()).run();
    assert_eq!(sha256(&curled), expected, "through a presigned URL and curl");
    aws(&server).args(["rm", "s3://first-light/large"]).run();
    assert_eq!(aws(&server).args(["ls", "s3://first-light"]).run(), "");
    aws(&server).args(["rb", "s3://first-light"]).run();
    assert_eq!(aws(&server).args(["ls"]).run(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_real_tree_is_synced_there_and_back() {
    let server = AllInOne::start().await;
    let (tree, back) = (server.workdir().join("tree"), server.workdir().join("back"));
    system_tree(&tree);
    aws(&server).args(["mb", "s3://tree"]).run();
    aws(&server).arg("sync").arg(&tree).args(["s3://tree/share", "--only-show-errors"]).run();
    let again = aws(&server).arg("sync").arg(&tree).args(["s3://tree/share", "--dryrun"]).run();
    assert_eq!(again, "", "a second sync has nothing to do");
    aws(&server).args(["sync", "s3://tree/share"]).arg(&back).arg("--only-show-errors").run();
    assert_same_tree(&tree, &back);
    aws(&server).args(["rm", "--recursive", "--only-show-errors", "s3://tree/share"]).run();
    aws(&server).args(["rb", "s3://tree"]).run();
}
