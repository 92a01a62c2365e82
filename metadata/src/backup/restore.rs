//! Creates a member from a backup.

use std::io::Read;
use std::path::{Path, PathBuf};

use cairn_core::id::Incarnation;
use cairn_core::random::RandomSource;

use super::format::FrameReader;
use super::rebase::{Beginner, rebase};
use super::{BackupError, BackupSummary};
use crate::error::StoreError;
use crate::raft::snapshot::Loader;
use crate::space::Space;
use cairn_core::id::MemberId;

/// Page cache in bytes.
const CACHE_BYTES: usize = 256 << 20;

#[derive(Debug, Clone)]
pub struct RestoreOptions {
    /// The member's directory: empty or absent.
    pub dir: PathBuf,
    /// The member, which will be the only one.
    pub member: MemberId,
    /// `host:port` under which others reach it; empty if nobody does.
    pub addr: String,
}

/// Restores a backup. A failed attempt leaves only files that have no effect.
pub fn restore(
    from: impl Read,
    options: &RestoreOptions,
    random: &dyn RandomSource,
) -> Result<BackupSummary, BackupError> {
    let dir = &options.dir;
    expect_empty(dir)?;
    let mut reader = FrameReader::begin(from)?;
    let head = reader.head()?;
    let mut loader = Loader::create(&dir.join("state.redb"), CACHE_BYTES, &Space::of(dir, 0))?;
    let mut bytes = 0;
    reader.records(|records| {
        bytes += records.len() as u64;
        Ok(loader.load(records)?)
    })?;
    let database = loader.finish()?;
    let beginner = Beginner { member: options.member, addr: &options.addr, incarnation: Incarnation::draw(random) };
    rebase(dir, &database, &beginner, head.applied, head.commit)?;
    Ok(BackupSummary::new(&head, bytes))
}

/// Creates the directory, which must be empty.
pub(super) fn expect_empty(dir: &Path) -> Result<(), BackupError> {
    std::fs::create_dir_all(dir).map_err(|e| StoreError::file(dir, e))?;
    if std::fs::read_dir(dir).map_err(|e| StoreError::file(dir, e))?.next().is_some() {
        return Err(BackupError::NotEmpty(dir.to_owned()));
    }
    Ok(())
}
