//! restic.

use std::path::Path;

use cairn_tests::tool::{Tool, assert_same_tree};
use cairn_tests::{AllInOne, seed};

use crate::tree::small_tree;

fn restic(server: &AllInOne) -> Tool {
    Tool::new("restic", server)
        .env("RESTIC_REPOSITORY", format!("s3:{}/restic", server.s3_endpoint()))
        .env("RESTIC_PASSWORD", "only a test")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_backup_is_restored() {
    let mut server = AllInOne::start().await;
    let seed = seed();
    let (tree, back) = (server.workdir().join("tree"), server.workdir().join("back"));
    small_tree(&tree, seed);
    restic(&server).arg("init").run();
    backup(&server, &tree);
    small_tree(&tree.join("second"), !seed);
    backup(&server, &tree);
    restic(&server).args(["check", "--read-data"]).run();
    server.restart().await;
    restic(&server).args(["check", "--read-data"]).run();
    restic(&server).args(["restore", "latest", "--target"]).arg(&back).run();
    assert_same_tree(&tree, &back.join(tree.strip_prefix("/").unwrap()));
    restic(&server).args(["forget", "latest", "--keep-last", "1", "--prune"]).run();
    restic(&server).args(["check", "--read-data"]).run();
}

fn backup(server: &AllInOne, tree: &Path) {
    restic(server).arg("backup").arg(tree).run();
}
