//! Copies members' files, so that reading them offline leaves the originals unchanged.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cairn_core::clock::Clock;
use cairn_core::threads::Threads;

use super::error::OfflineError;
use super::source::Source;
use crate::directory::{self, Directory};
use crate::options::Options;
use crate::raft::LogId;
use crate::raft::log_store::LogStore;
use crate::space::Space;
use cairn_core::id::Incarnation;
use cairn_core::id::MemberId;

const IDENTITY: &str = "identity";
const LOG: &str = "log.redb";
const STATE: &str = "state.redb";
const RECEIVED: &str = "state.received";

/// A directory that is removed at the end.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn create(parent: &Path) -> Result<Self, OfflineError> {
        let path = parent.join(format!("cairn-audit-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|source| OfflineError::Copy { path: path.clone(), source })?;
        Ok(Self { path })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            tracing::warn!(%error, "cannot remove {}, which the audit made", self.path.display());
        }
    }
}

/// The members that the directories belong to.
pub(super) fn members(dirs: &[PathBuf]) -> Result<Vec<MemberId>, OfflineError> {
    dirs.iter()
        .map(|dir| directory::member_in(dir)?.ok_or_else(|| OfflineError::NoMember { dir: dir.clone() }))
        .collect()
}

/// A copy of the member whose log is newest.
pub(super) fn newest(
    dirs: &[PathBuf],
    scratch: &Scratch,
    clock: Arc<dyn Clock>,
    threads: &dyn Threads,
) -> Result<(Directory, Source), OfflineError> {
    let mut best: Option<(Option<LogId>, usize)> = None;
    let members = members(dirs)?;
    check_same_cluster(dirs)?;
    for (at, dir) in dirs.iter().enumerate() {
        let to = place(scratch, at)?;
        copy(dir, &to, IDENTITY)?;
        copy(dir, &to, LOG)?;
        let log = LogStore::open(&to.join(LOG), false, threads, &Space::of(&to, 0))?;
        let (last, open) = (log.last(), log.open_token());
        drop(log);
        while open.strong_count() > 0 {
            std::thread::yield_now();
        }
        if best.as_ref().is_none_or(|(newest, _)| last > *newest) {
            best = Some((last, at));
        }
    }
    let at = best.map_or(0, |(_, at)| at);
    let (Some(dir), Some(member)) = (dirs.get(at), members.get(at)) else {
        return Err(OfflineError::NoMember { dir: PathBuf::new() });
    };
    let to = place(scratch, at)?;
    copy(dir, &to, STATE)?;
    // A member that was killed while it installed a snapshot has two states.
    if dir.join(RECEIVED).exists() {
        copy(dir, &to, RECEIVED)?;
    }
    let options = Options { member_id: *member, members: Vec::new(), ..Options::new(&to) };
    // The copy already has the original's incarnation.
    let opened = Directory::open(&options, clock, threads, Incarnation::from_bytes([0; 16]))?;
    let source = Source { dir: dir.clone(), member: *member, log_index: 0, voters: 0, voters_given: 0 };
    Ok((opened, source))
}

fn check_same_cluster(dirs: &[PathBuf]) -> Result<(), OfflineError> {
    let mut ours = None;
    for dir in dirs {
        let Some(theirs) = directory::cluster_in(dir)? else { continue };
        match ours {
            Some(ours) if ours != theirs => return Err(OfflineError::Foreign { dir: dir.clone(), theirs, ours }),
            _ => ours = Some(theirs),
        }
    }
    Ok(())
}

fn place(scratch: &Scratch, at: usize) -> Result<PathBuf, OfflineError> {
    let path = scratch.path.join(at.to_string());
    std::fs::create_dir_all(&path).map_err(|source| OfflineError::Copy { path: path.clone(), source })?;
    Ok(path)
}

/// Copies a file that nobody has open.
fn copy(dir: &Path, to: &Path, name: &str) -> Result<(), OfflineError> {
    let path = dir.join(name);
    let failed = |source| OfflineError::Copy { path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(OfflineError::NoMember { dir: dir.to_owned() });
        }
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(OfflineError::InUse { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    // The lock is held until the copy is complete.
    std::fs::copy(&path, to.join(name)).map_err(failed)?;
    drop(file);
    Ok(())
}
