//! Disks that are small filesystems of their own, so that they can be filled.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Small filesystems in memory on directories of disks, unmounted when this is dropped: declared after the server or the
/// cluster whose directory they are in, so before that is removed.
#[derive(Debug)]
pub struct SmallDisks(Vec<PathBuf>);

impl SmallDisks {
    /// Mounts a filesystem of `mib` MiB on each directory.
    ///
    /// # Errors
    /// If that is not allowed, which it is to root only.
    pub fn mount(directories: impl IntoIterator<Item = PathBuf>, mib: u32) -> Result<Self, String> {
        let mut mounted = Self(Vec::new());
        for at in directories {
            std::fs::create_dir_all(&at).map_err(|e| e.to_string())?;
            run(Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"]).arg(&at))?;
            mounted.0.push(at);
        }
        Ok(mounted)
    }

    pub fn directories(&self) -> &[PathBuf] {
        &self.0
    }

    /// Takes all but about `left` bytes of the filesystem on `directory`, and what has become free since the last time.
    pub fn fill(directory: &Path, left: u64) {
        let mut filler = File::options().create(true).append(true).open(directory.join(FILLER)).unwrap();
        let piece = vec![1; 1 << 20];
        while free(directory) > left && filler.write_all(&piece).is_ok() {}
    }

    /// Gives back what [`SmallDisks::fill`] took of all of them.
    pub fn empty(&self) {
        for directory in &self.0 {
            std::fs::remove_file(directory.join(FILLER)).unwrap();
        }
    }
}

const FILLER: &str = "filler";

impl Drop for SmallDisks {
    fn drop(&mut self) {
        for directory in &self.0 {
            // A mount that cannot be removed is only litter.
            let _ = run(Command::new("umount").arg("-l").arg(directory));
        }
    }
}

fn free(directory: &Path) -> u64 {
    let space = rustix::fs::statvfs(directory).unwrap();
    space.f_bavail * space.f_frsize
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}
