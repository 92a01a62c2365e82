//! Which of a volume's records count. Replay and the offline inspection must agree on that.

use std::collections::VecDeque;
use std::io;

use super::scan::{Found, Scan};
use crate::format::RecordHeader;

/// Records that wait for a later one that settles them; beyond it the oldest is read whole instead.
const UNSETTLED_MAX: usize = 65_536;

/// Whether something in a volume counts.
#[derive(Debug)]
pub(crate) enum Verdict {
    Counts(Found),
    /// A shard that no later record settles and that is not whole. It was never acknowledged.
    Torn(RecordHeader),
}

impl Verdict {
    /// Where it ends, in bytes from the beginning of the volume.
    pub(crate) fn end(&self) -> u64 {
        match self {
            Self::Counts(found) => found.end(),
            Self::Torn(header) => header.place.offset + header.record_bytes(),
        }
    }
}

/// Reads a volume's records in order and decides which count. A record that may not have been on stable storage when power
/// was lost waits for a later one that settles it; without one, a shard counts only if it is whole.
pub(crate) struct SettledScan<'a> {
    scan: Scan<'a>,
    unsettled: VecDeque<Found>,
    is_through: bool,
}

impl<'a> SettledScan<'a> {
    pub(crate) fn new(scan: Scan<'a>) -> Self {
        Self { scan, unsettled: VecDeque::new(), is_through: false }
    }

    /// What comes next in the volume; `None` at its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<Verdict>> {
        loop {
            let synced_before = self.scan.synced_before();
            if let Some(found) = self.unsettled.pop_front_if(|found| found.offset() < synced_before) {
                return Ok(Some(Verdict::Counts(found)));
            }
            if self.is_through || self.unsettled.len() > UNSETTLED_MAX {
                return Ok(self.unsettled.pop_front().map(|found| self.judge(found)));
            }
            match self.scan.next()? {
                Some(found) => self.unsettled.push_back(found),
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

    /// Everything before this offset was returned.
    pub(crate) fn offset(&self) -> u64 {
        self.unsettled.front().map_or(self.scan.offset(), Found::offset)
    }

    pub(crate) fn scan(&self) -> &Scan<'a> {
        &self.scan
    }
}
