//! Turns one remaining member into a cluster of its own, after a majority is lost for good.
//!
//! What the lost members acknowledged without this one is lost with them. Nothing can tell what that is, so this
//! never happens automatically.

use std::path::PathBuf;
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::id::CommitSequence;
use cairn_core::id::Incarnation;
use cairn_core::random::RandomSource;
use cairn_core::threads::Threads;

use super::rebase::{Beginner, rebase};
use super::{BackupError, BackupSummary};
use crate::directory::Directory;
use crate::error::StoreError;
use crate::options::Options;
use crate::raft::snapshot::{Loader, copy_into};
use crate::state::tables::usage;
use cairn_core::id::MemberId;

#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// The directory of the remaining member, which must not be running.
    pub dir: PathBuf,
    pub member: MemberId,
    /// `host:port` under which others will reach it; empty if nobody will.
    pub addr: String,
}

/// Makes the member the only one. Everything in its log counts, whether it was committed or not. The old directory is
/// kept beside the new one, as `before-recovery`.
pub fn recover(
    options: &RecoverOptions,
    clock: Arc<dyn Clock>,
    threads: &dyn Threads,
    random: &dyn RandomSource,
) -> Result<BackupSummary, BackupError> {
    let dir = &options.dir;
    let no_member = |reason: String| BackupError::NoMember { dir: dir.clone(), reason };
    let kept = dir.with_file_name("metadata-before-recovery");
    if kept.exists() {
        return Err(no_member(format!("{} exists: it was recovered once already; move that away", kept.display())));
    }
    if !dir.join("identity").exists() {
        return Err(no_member("it holds no member of a metadata service".to_owned()));
    }
    let open = Options { member_id: options.member, members: Vec::new(), ..Options::new(dir) };
    let written_ms = clock.now_ms();
    let directory =
        Directory::open(&open, clock, threads, Incarnation::draw(random)).map_err(|e| no_member(e.to_string()))?;
    directory.apply_rest()?;
    let machine = Arc::clone(&directory.machine);
    let applied = machine.applied().ok_or(BackupError::NotFormed)?;
    let cluster = machine.map().ok_or(BackupError::NotFormed)?.cluster;
    let commit = machine.commit();
    let view = machine.sync()?;
    let objects = usage::get(&view.usage()?, usage::TOTAL)?.objects;
    // A copy: the old directory stays unchanged until the new one is complete.
    let next = dir.with_file_name("metadata-recovering");
    rewrite_state(&next)?;
    let mut loader = Loader::create(&next.join("state.redb"), open.cache_bytes, machine.space())?;
    let bytes = copy_into(view, &mut loader)?;
    let database = loader.finish()?;
    let beginner = Beginner { member: options.member, addr: &options.addr, incarnation: Incarnation::draw(random) };
    rebase(&next, &database, &beginner, applied.into(), commit)?;
    drop((machine, database));
    close(directory);
    let moved = std::fs::rename(dir, &kept).and_then(|()| std::fs::rename(&next, dir));
    moved.map_err(|e| StoreError::file(dir, e))?;
    crate::durable_names::sync_directory(dir)?;
    Ok(BackupSummary { cluster, commit: CommitSequence(commit.0), objects, written_ms, bytes })
}

fn rewrite_state(dir: &std::path::Path) -> Result<(), StoreError> {
    if dir.exists() {
        std::fs::remove_dir_all(dir).map_err(|e| StoreError::file(dir, e))?;
    }
    std::fs::create_dir_all(dir).map_err(|e| StoreError::file(dir, e))
}

/// Waits until the log's thread has closed its file.
fn close(directory: Directory) {
    let open = directory.log.open_token();
    drop(directory);
    while open.strong_count() > 0 {
        std::thread::yield_now();
    }
}
