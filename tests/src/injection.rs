//! System calls of a real process that strace fails or delays.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Most volumes that a disk creates in one run of a short test: one, and another for each that fails.
const VOLUMES_BEGUN_MAX: u32 = 4;

/// The volumes of the disk in `directory`, and those that it may begin.
pub(crate) fn volume_paths(directory: &Path) -> Vec<PathBuf> {
    let volumes = directory.join("volumes");
    let numbers = std::fs::read_dir(&volumes).into_iter().flatten().flatten().filter_map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.strip_suffix(".vol")?.parse::<u32>().ok()
    });
    let newest = numbers.max().unwrap_or(0);
    (1..=newest + VOLUMES_BEGUN_MAX).map(|number| volumes.join(format!("{number:08}.vol"))).collect()
}

/// Which system calls to fail or delay.
#[derive(Debug, Clone)]
pub struct Injection {
    /// The system calls, separated by commas.
    pub calls: &'static str,
    /// What happens to them, in strace's syntax: `error=EIO:when=3`, `delay_enter=1000000`. `when` counts the calls **of each
    /// thread**: on one disk's files that is one thread, else every thread fails at its own n-th call.
    pub what: String,
    /// Only calls on these files. Empty means all files.
    pub paths: Vec<PathBuf>,
    /// Where strace writes its output.
    pub trace: PathBuf,
}

impl Injection {
    /// The command that runs `program` under strace. strace detaches itself (`-D`), so the program is the child.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-qq", "-o"]).arg(&self.trace);
        command.arg("-e").arg(format!("trace={}", self.calls));
        command.arg("-e").arg(format!("inject={}:{}", self.calls, self.what));
        for path in &self.paths {
            command.arg("-P").arg(path);
        }
        command.arg(program);
        command
    }

    /// strace's output so far.
    pub fn seen(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.trace).unwrap_or_default()).into_owned()
    }

    /// How many calls were failed or delayed so far.
    pub fn injected(&self) -> usize {
        let seen = self.seen();
        ["(INJECTED)", "(DELAYED)"].iter().map(|mark| seen.matches(mark).count()).sum()
    }
}
