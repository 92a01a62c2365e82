//! A directory for one test, whose logs outlive a failure.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// Where the test's processes keep their data, configuration and logs. Removed when the test passes. When it fails, the
/// logs stay; with `CAIRN_KEEP` set, so does everything else. Created under `CAIRN_TEST_DIR`, else the system's own.
#[derive(Debug)]
pub struct Workdir {
    dir: TempDir,
}

impl Workdir {
    pub fn new() -> Self {
        let mut builder = tempfile::Builder::new();
        builder.prefix("cairn-test-");
        let dir = match std::env::var_os("CAIRN_TEST_DIR") {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        };
        let dir = dir.expect("a temporary directory");
        std::fs::create_dir(dir.path().join("logs")).expect("a directory for logs");
        Self { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn logs(&self) -> PathBuf {
        self.join("logs")
    }
}

impl Default for Workdir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        self.dir.disable_cleanup(true);
        if std::env::var_os("CAIRN_KEEP").is_none() {
            remove_all_but_logs(self.dir.path());
        }
        eprintln!("the logs of the failed test are in {}", self.logs().display());
    }
}

fn remove_all_but_logs(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name() != "logs" {
            // A file that cannot be removed is only litter.
            let _ = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        }
    }
}
