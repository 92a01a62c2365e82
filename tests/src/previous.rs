//! The binary of the release before, to run beside the one under test.

use std::path::{Path, PathBuf};

/// The `cairn` that `scripts/previous-binary` has built from the commit in `tests/previous-release`, or the one that
/// `CAIRN_PREVIOUS_BIN` names. Fails with what to do where there is none.
pub fn previous_cairn() -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("CAIRN_PREVIOUS_BIN") {
        return Ok(path.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    let named = root.join("tests/previous-release");
    let commit = std::fs::read_to_string(&named).map_err(|error| format!("{}: {error}", named.display()))?;
    let kept = root.join("target/previous").join(commit.trim());
    if kept.is_file() { Ok(kept) } else { Err(format!("{} is not there: run scripts/previous-binary", kept.display())) }
}
