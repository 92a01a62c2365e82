//! rclone.

use cairn_tests::tool::{Tool, assert_same_tree};
use cairn_tests::{AllInOne, seed};

use crate::tree::small_tree;

fn rclone(server: &AllInOne) -> Tool {
    Tool::new("rclone", server)
        .env("RCLONE_CONFIG_CAIRN_TYPE", "s3")
        .env("RCLONE_CONFIG_CAIRN_PROVIDER", "Other")
        .env("RCLONE_CONFIG_CAIRN_ENV_AUTH", "true")
        .env("RCLONE_CONFIG_CAIRN_ENDPOINT", server.s3_endpoint().to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_tree_is_synced_and_checked_byte_for_byte() {
    let server = AllInOne::start().await;
    let (tree, back) = (server.workdir().join("tree"), server.workdir().join("back"));
    small_tree(&tree, seed());
    rclone(&server).args(["mkdir", "cairn:rclone"]).run();
    rclone(&server).arg("sync").arg(&tree).arg("cairn:rclone/tree").run();
    rclone(&server).args(["check", "--download"]).arg(&tree).arg("cairn:rclone/tree").run();
    std::fs::remove_dir_all(tree.join("many/03")).unwrap();
    std::fs::write(tree.join("changed"), "changed").unwrap();
    rclone(&server).arg("sync").arg(&tree).arg("cairn:rclone/tree").run();
    rclone(&server).args(["check", "--download"]).arg(&tree).arg("cairn:rclone/tree").run();
    // Copies on the server's side, with metadata.
    rclone(&server).args(["copy", "cairn:rclone/tree", "cairn:rclone/copy"]).run();
    rclone(&server).args(["copy", "cairn:rclone/copy"]).arg(&back).run();
    assert_same_tree(&tree, &back);
    rclone(&server).args(["purge", "cairn:rclone"]).run();
}
