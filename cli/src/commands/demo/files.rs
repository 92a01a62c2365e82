//! The files of the demonstration.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::DemoError;
use crate::s3::Client;

/// Largest file to store, in bytes.
const FILE_BYTES_MAX: u64 = 64 << 20;
/// Limit of files to store.
const FILES_MAX: usize = 50;
const BUCKET: &str = "demo";

/// Real files, to be compared with what is read back.
pub(super) struct Files {
    files: Vec<(PathBuf, u64)>,
}

impl Files {
    /// The files of a directory, without its subdirectories.
    pub(super) fn choose(directory: &Path) -> Result<Self, DemoError> {
        let failed = |source| DemoError::File { path: directory.to_owned(), source };
        let mut files = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let length = entry.metadata().map_err(failed)?.len();
            if entry.file_type().map_err(failed)?.is_file() && length <= FILE_BYTES_MAX && files.len() < FILES_MAX {
                files.push((entry.path(), length));
            }
        }
        if files.is_empty() {
            return Err(DemoError::NoFiles(directory.to_owned()));
        }
        files.sort();
        Ok(Self { files })
    }

    pub(super) fn count(&self) -> usize {
        self.files.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Stores every file in a new bucket.
    pub(super) async fn store(&self, client: &mut Client) -> Result<(), DemoError> {
        let bucket = client.create_bucket(BUCKET).await;
        bucket.map_err(|source| DemoError::S3 { key: BUCKET.to_owned(), source })?;
        for (path, _) in &self.files {
            let key = key_of(path);
            let stored = client.put(BUCKET, &key, read(path)?).await;
            stored.map_err(|source| DemoError::S3 { key, source })?;
        }
        Ok(())
    }

    /// Reads every object back and compares it with its file.
    pub(super) async fn compare(&self, client: &mut Client) -> Result<(), DemoError> {
        for (path, _) in &self.files {
            let key = key_of(path);
            let failed = |source| DemoError::S3 { key: key.clone(), source };
            let body = client.get(BUCKET, &key).await.map_err(failed)?;
            if body.collect().await.map_err(failed)? != read(path)? {
                return Err(DemoError::Differs(key));
            }
        }
        Ok(())
    }
}

fn key_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(path: &Path) -> Result<Bytes, DemoError> {
    let bytes = std::fs::read(path).map_err(|source| DemoError::File { path: path.to_owned(), source })?;
    Ok(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_chosen_and_directories_are_not() {
        let directory = tempfile::tempdir().unwrap();
        assert!(matches!(Files::choose(directory.path()), Err(DemoError::NoFiles(_))));
        std::fs::create_dir(directory.path().join("below")).unwrap();
        std::fs::write(directory.path().join("b"), "bb").unwrap();
        std::fs::write(directory.path().join("a"), "a").unwrap();
        let files = Files::choose(directory.path()).unwrap();
        assert_eq!((files.count(), files.bytes()), (2, 3));
        assert_eq!(key_of(&files.files[0].0), "a");
    }
}
