//! What tests need that run a filesystem full.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::{Space, free_bytes};

/// Room without end.
pub(crate) fn roomy() -> Arc<Space> {
    Space::of(Path::new("/"), 1)
}

/// A small filesystem, unmounted at the end.
pub(crate) struct Mount {
    at: PathBuf,
}

impl Mount {
    /// Mounts a tmpfs over the directory `at`; prints why if that is impossible here.
    pub(crate) fn over(at: &Path, bytes: u64) -> Option<Self> {
        let size = format!("size={bytes}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output().unwrap();
        if !mounted.status.success() {
            println!("SKIPPED, a tmpfs cannot be mounted here: {}", String::from_utf8_lossy(&mounted.stderr));
            return None;
        }
        Some(Self { at: at.to_owned() })
    }

    /// Takes what is free, as another process would, but for `left` bytes.
    pub(crate) fn fill(&self, left: u64) {
        let mut filler = File::options().create(true).append(true).open(self.at.join("filler")).unwrap();
        let free = || free_bytes(&self.at).unwrap();
        while free() > left && filler.write_all(&vec![1; (free() - left).min(1 << 16) as usize]).is_ok() {}
    }

    /// Frees what was taken.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.at.join("filler")).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // A mount that cannot be removed is only litter.
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}
