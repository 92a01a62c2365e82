//! boto3, by scripts beside this file.

use std::path::Path;

use cairn_tests::AllInOne;
use cairn_tests::tool::Tool;

fn script(server: &AllInOne, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    // The scripts share a module, which would be compiled into the source tree.
    Tool::new("python3", server).arg("-B").arg(path).run()
}

async fn all_is_well(name: &str) {
    let server = AllInOne::start().await;
    let said = script(&server, name);
    assert!(said.trim_end().ends_with("all is well"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_works_at_its_defaults() {
    all_is_well("boto3_defaults.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_sets_lifecycle_rules() {
    all_is_well("boto3_lifecycle.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_names_storage_classes() {
    all_is_well("boto3_storage_classes.py").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_keeps_versions() {
    all_is_well("boto3_versioning.py").await;
}
