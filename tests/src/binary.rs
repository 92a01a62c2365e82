//! Where the binary under test is.

use std::path::PathBuf;

/// `CAIRN_BIN`, else the `cairn` beside the test executable's directory (`target/debug/deps/..`).
pub fn cairn() -> PathBuf {
    if let Some(path) = std::env::var_os("CAIRN_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().expect("the path of this executable");
    let path = test.ancestors().nth(2).expect("a test executable lies in target/PROFILE/deps").join("cairn");
    assert!(
        path.is_file(),
        "{} is not there: run `cargo build -p cairn-cli`, or ./scripts/test, or set CAIRN_BIN",
        path.display()
    );
    path
}
