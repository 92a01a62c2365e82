//! The page cache.

use std::fs::File;
use std::path::Path;

/// Calls `act` with every file under `dir`.
fn each_file(dir: &Path, act: &mut impl FnMut(&mut File)) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_file(&path, act);
        } else {
            act(&mut File::open(path).unwrap());
        }
    }
}

/// Drops the files under `dir` from the page cache.
pub(crate) fn evict(dir: &Path) {
    each_file(dir, &mut |file| rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).unwrap());
}

/// Reads all files under `dir` into the page cache.
pub(crate) fn warm(dir: &Path) {
    each_file(dir, &mut |file| {
        std::io::copy(file, &mut std::io::sink()).unwrap();
    });
}
