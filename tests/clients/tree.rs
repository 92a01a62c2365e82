//! Directories to send around.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use cairn_tests::Content;

/// Files of the system's tree that are copied unless `CAIRN_TEST_TREE_FILES` says otherwise.
const FILES: usize = 2_000;
/// When its files were changed, since 1970: in 2020.
const CHANGED: Duration = Duration::from_hours(24 * 365 * 50);

/// Copies a real tree of thousands of small files to `to`: `CAIRN_TEST_TREE`, else the system's own, up to a number of
/// files. Links and empty directories are left out: S3 has neither.
pub(crate) fn system_tree(to: &Path) {
    let from = std::env::var_os("CAIRN_TEST_TREE").map_or_else(|| PathBuf::from("/usr/share"), PathBuf::from);
    let mut left =
        std::env::var("CAIRN_TEST_TREE_FILES").map_or(FILES, |text| text.parse().expect("a number of files"));
    copy_regular_files(&from, to, &mut left);
}

fn copy_regular_files(from: &Path, to: &Path, left: &mut usize) {
    let mut entries: Vec<_> = std::fs::read_dir(from).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (kind, target) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if *left == 0 {
            return;
        }
        if kind.is_dir() {
            copy_regular_files(&entry.path(), &target, left);
        } else if kind.is_file() {
            std::fs::create_dir_all(to).unwrap();
            std::fs::copy(entry.path(), &target).unwrap();
            // Older than any upload of it. S3 tells whole seconds, so that a file copied in the second of its upload seems newer.
            std::fs::File::open(&target).and_then(|file| file.set_modified(SystemTime::UNIX_EPOCH + CHANGED)).unwrap();
            *left -= 1;
        }
    }
}

/// A small tree with the names and sizes that go wrong: spaces, umlauts, deep paths, empty files, edges of the format.
pub(crate) fn small_tree(to: &Path, seed: u64) {
    let sizes = [0u64, 1, 4096, 16_384, 16_385, 65_536, 262_144, 262_145, 5 << 20, (9 << 20) + 1];
    let names = ["plain", "with space", "ümläut", "deep/er/and/deep/er", "plus+and%25", "a,comma;and=more"];
    for (index, size) in sizes.into_iter().enumerate() {
        let path = to.join(format!("{}-{index}", names[index % names.len()]));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, Content::new(seed.wrapping_add(index as u64), size).bytes()).unwrap();
    }
    for index in 0..200u64 {
        let path = to.join(format!("many/{:02}/{index}", index % 16));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, Content::new(seed ^ index, index * 97).bytes()).unwrap();
    }
}
