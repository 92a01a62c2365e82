//! Reads that go wrong.

use std::io;
use std::ops::Range;
use std::time::Duration;

use rustix::io::Errno;

/// How a read goes wrong.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Misread {
    Fail(Errno),
    /// It succeeds with other bytes than those that are stored.
    Corrupt,
    Delay(Duration),
}

/// Reads that go wrong.
#[derive(Debug, Clone)]
pub(crate) struct ReadFault {
    pub(crate) what: Misread,
    /// The file: a volume, `index`, or a small file; `None` for all volumes.
    pub(crate) file: Option<String>,
    /// The bytes of the file that it concerns.
    pub(crate) range: Range<u64>,
    /// Reads of these bytes that still go well.
    pub(crate) after: u64,
    /// Reads that go wrong then.
    pub(crate) times: u64,
}

/// What happens to a read of these bytes, and in which of them.
pub(super) fn take(faults: &mut Vec<ReadFault>, file: &str, read: Range<u64>) -> Vec<(Misread, Range<u64>)> {
    let mut met = Vec::new();
    for fault in faults.iter_mut() {
        let concerns =
            fault.file.as_deref().map_or(file.as_bytes().first().is_some_and(u8::is_ascii_digit), |name| name == file);
        if !concerns || fault.range.start >= read.end || fault.range.end <= read.start {
            continue;
        }
        if fault.after > 0 {
            fault.after -= 1;
            continue;
        }
        fault.times -= 1;
        met.push((fault.what, fault.range.clone()));
    }
    faults.retain(|fault| fault.times > 0);
    met
}

impl Misread {
    /// Spoils what was read from `offset` on, where it lies in `range`.
    pub(super) fn spoil(self, read: &mut [u8], offset: u64, range: &Range<u64>) -> io::Result<()> {
        match self {
            Self::Fail(errno) => return Err(errno.into()),
            Self::Delay(time) => std::thread::sleep(time),
            Self::Corrupt => {
                let end = range.end.saturating_sub(offset).min(read.len() as u64) as usize;
                let start = range.start.saturating_sub(offset) as usize;
                read.get_mut(start..end).unwrap_or_default().iter_mut().for_each(|byte| *byte ^= 0x5a);
            }
        }
        Ok(())
    }
}
