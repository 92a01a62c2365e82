//! Which of the records in a volume count: recovery and those who look at a disk offline must agree on that.

use std::collections::VecDeque;
use std::io;

use super::scan::{Found, Scan};
use crate::format::RecordHeader;

/// Records that wait for one which vouches for them; beyond it the oldest is read whole instead.
const DOUBTFUL_MAX: usize = 65_536;

/// What becomes of something in a volume.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It counts as what it looks like.
    Counts(Found),
    /// A shard that nobody vouches for and that is not there to the last byte. It was never acknowledged.
    Torn(RecordHeader),
}

impl Verdict {
    /// Where it ends, in bytes from the start of the volume.
    pub(super) fn end(&self) -> u64 {
        match self {
            Self::Counts(found) => found.end(),
            Self::Torn(header) => header.place.offset + header.record_bytes(),
        }
    }
}

/// Reads a volume's records in order, and says what counts. What may not have been on stable storage when power was lost
/// waits for a record that vouches for it; without one, a shard counts only if all of it is there.
pub(super) struct VouchedScan<'a> {
    scan: Scan<'a>,
    doubtful: VecDeque<Found>,
    is_through: bool,
}

impl<'a> VouchedScan<'a> {
    pub(super) fn new(scan: Scan<'a>) -> Self {
        Self { scan, doubtful: VecDeque::new(), is_through: false }
    }

    /// The next thing in the volume; nothing at its end.
    pub(super) fn next(&mut self) -> io::Result<Option<Verdict>> {
        loop {
            let synced_before = self.scan.synced_before();
            if let Some(found) = self.doubtful.pop_front_if(|found| found.offset() < synced_before) {
                return Ok(Some(Verdict::Counts(found)));
            }
            if self.is_through || self.doubtful.len() > DOUBTFUL_MAX {
                return Ok(self.doubtful.pop_front().map(|found| self.judge(found)));
            }
            match self.scan.next()? {
                Some(found) => self.doubtful.push_back(found),
                None => self.is_through = true,
            }
        }
    }

    fn judge(&self, found: Found) -> Verdict {
        match found {
            Found::Shard(header) if !self.scan.is_whole(&header) => Verdict::Torn(header),
            found => Verdict::Counts(found),
        }
    }

    /// Everything before this offset has been returned.
    pub(super) fn offset(&self) -> u64 {
        self.doubtful.front().map_or(self.scan.offset(), Found::offset)
    }

    /// The walk below.
    pub(super) fn scan(&self) -> &Scan<'a> {
        &self.scan
    }
}
