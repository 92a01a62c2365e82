//! Names of files that outlive a power failure. The content of a file is durable once the file is synced, its name once the
//! directory is.

use std::path::Path;

use crate::error::StoreError;

/// Renames a file, in place of another one if there is one, and makes that durable.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), StoreError> {
    notice(&Step::Renames { from, to });
    std::fs::rename(from, to).map_err(|e| StoreError::file(from, e))?;
    notice(&Step::Renamed);
    sync_directory(to)
}

/// Makes the names in the directory of `path` durable.
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let file = std::fs::File::open(directory).map_err(|e| StoreError::file(directory, e))?;
    file.sync_all().map_err(|e| StoreError::file(directory, e))?;
    notice(&Step::Synced);
    Ok(())
}

/// A change of a directory, for a test that lets the power fail there.
#[cfg_attr(not(test), expect(dead_code, reason = "only tests look"))]
pub(crate) enum Step<'a> {
    /// A file is about to be renamed.
    Renames { from: &'a Path, to: &'a Path },
    /// It was renamed; whether that outlives a power failure is open.
    Renamed,
    /// All names outlive a power failure.
    Synced,
}

#[cfg(not(test))]
fn notice(_: &Step<'_>) {}

#[cfg(test)]
fn notice(step: &Step<'_>) {
    WATCH.with_borrow_mut(|watch| {
        if let Some(watch) = watch {
            watch(step);
        }
    });
}

#[cfg(test)]
type Watch = Box<dyn FnMut(&Step<'_>)>;

#[cfg(test)]
thread_local! {
    /// Called with every step on this thread.
    pub(crate) static WATCH: std::cell::RefCell<Option<Watch>> = const { std::cell::RefCell::new(None) };
}
