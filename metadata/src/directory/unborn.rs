//! Database files whose creation was interrupted.

use std::path::Path;

/// Bytes at the beginning of a database file that are not all zero once it was created.
const UNBORN_BYTES: usize = 9;

/// Whether the beginning of a database file shows that its creation was interrupted: redb writes the first bytes
/// last, once everything else is synced. Nothing was acknowledged while the file was in this state.
pub(crate) fn is_unborn(start: &[u8]) -> bool {
    start.iter().take(UNBORN_BYTES).all(|byte| *byte == 0)
}

/// Removes a file whose creation was interrupted.
pub(super) fn remove_unborn(path: &Path) -> std::io::Result<()> {
    use std::io::Read;
    let mut start = Vec::new();
    match std::fs::File::open(path) {
        Ok(file) => file.take(UNBORN_BYTES as u64).read_to_end(&mut start)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if is_unborn(&start) { std::fs::remove_file(path) } else { Ok(()) }
}
