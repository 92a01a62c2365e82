//! Small files that are replaced whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Replaces the file at `path` atomically and durably: a new file is written, synced and renamed over the old one, and
/// the directory is synced.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".new");
    let mut file = File::create(&temporary)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    let parent = path.parent().filter(|p| !p.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
