//! Backups of the metadata in a directory, made at an interval by the member that leads.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_metadata::Handle;
use cairn_metadata::backup::{self, BackupReader};

use super::error::DirectoryBackupError;

/// What the names of backups begin and end with. The commit is in between, so that names sort by age.
const PREFIX: &str = "cairn-metadata-";
const SUFFIX: &str = ".backup";
/// Buffer for reading a backup back.
const READ_BYTES: usize = 1 << 20;

/// Backups into a directory.
#[derive(Clone)]
pub struct BackupsInDirectory {
    pub member: Handle,
    pub dir: PathBuf,
    pub interval: Duration,
    /// Older backups are removed once a newer one has been read back. One is always kept.
    pub kept: usize,
}

impl BackupsInDirectory {
    /// Runs for ever.
    pub async fn run(self) {
        loop {
            tokio::time::sleep(self.interval).await;
            if !self.member.leads() {
                continue;
            }
            match self.back_up().await {
                Ok(path) => tracing::info!(path = %path.display(), "the metadata was backed up and read back"),
                Err(error) => {
                    tracing::error!(%error, "the metadata was not backed up; retrying after the next interval");
                }
            }
        }
    }

    async fn back_up(&self) -> Result<PathBuf, DirectoryBackupError> {
        let reader = self.member.backup().await?;
        let (dir, kept) = (self.dir.clone(), self.kept);
        tokio::task::spawn_blocking(move || write(reader, &dir, kept)).await?
    }
}

/// Writes a backup, reads it back, and only then gives it its name and removes older ones.
fn write(mut reader: BackupReader, dir: &Path, kept: usize) -> Result<PathBuf, DirectoryBackupError> {
    let partial = dir.join(format!("{PREFIX}partial"));
    let failed = |source| DirectoryBackupError::File { path: partial.clone(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let mut file = File::create(&partial).map_err(failed)?;
    while let Some(piece) = reader.next_piece()? {
        file.write_all(&piece).map_err(failed)?;
    }
    file.sync_all().map_err(failed)?;
    let written = BufReader::with_capacity(READ_BYTES, File::open(&partial).map_err(failed)?);
    let summary = backup::verify(written)?;
    let path = dir.join(format!("{PREFIX}{:020}{SUFFIX}", summary.commit.0));
    std::fs::rename(&partial, &path).and_then(|()| File::open(dir)?.sync_all()).map_err(failed)?;
    remove_old(dir, kept).map_err(failed)?;
    Ok(path)
}

/// Removes all but the newest `kept` backups, and nothing else that is in the directory.
fn remove_old(dir: &Path, kept: usize) -> io::Result<()> {
    let mut names: Vec<String> = std::fs::read_dir(dir)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(PREFIX) && name.ends_with(SUFFIX))
        .collect();
    names.sort_unstable();
    names.truncate(names.len().saturating_sub(kept.max(1)));
    names.iter().try_for_each(|name| std::fs::remove_file(dir.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_backups_are_kept_and_other_files_are_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let name = |n: u64| format!("{PREFIX}{n:020}{SUFFIX}");
        for file in [name(9), name(100), name(20), "notes.txt".into(), format!("{PREFIX}partial")] {
            std::fs::write(dir.path().join(file), b"x").unwrap();
        }
        remove_old(dir.path(), 2).unwrap();
        let left = |file: &str| dir.path().join(file).exists();
        assert!(left(&name(100)) && left(&name(20)) && !left(&name(9)));
        assert!(left("notes.txt") && left(&format!("{PREFIX}partial")));
        remove_old(dir.path(), 0).unwrap();
        assert!(left(&name(100)) && !left(&name(20)), "one is always kept");
    }
}
