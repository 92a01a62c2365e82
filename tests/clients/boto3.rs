//! boto3, by a script beside this file.

use std::path::Path;

use cairn_tests::AllInOne;
use cairn_tests::tool::Tool;

fn script(server: &AllInOne, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    // The scripts share a module, which would be compiled into the source tree.
    Tool::new("python3", server).arg("-B").arg(path).run()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_at_its_defaults() {
    let server = AllInOne::start().await;
    let said = script(&server, "boto3_defaults.py");
    assert!(said.trim_end().ends_with("all is well"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn boto3_names_storage_classes() {
    let server = AllInOne::start().await;
    let said = script(&server, "boto3_storage_classes.py");
    assert!(said.trim_end().ends_with("all is well"), "{said}");
}
