//! Which of a volume's records count. Replay and the offline inspection must agree on that.

use std::collections::VecDeque;
use std::io;

use cairn_protocol::storage::StorageErrorKind;

use super::scan::{Found, Scan, Unread};
use crate::format::RecordHeader;
use crate::store::fault::classify;

/// Records that wait for a later one that settles them; beyond it the oldest is read whole instead.
const UNSETTLED_MAX: usize = 65_536;

/// Whether something in a volume counts.
#[derive(Debug)]
pub(crate) enum Verdict {
    Counts(Found),
    /// A shard that no later record settles and that is not whole. After a crash it was never acknowledged.
    Torn(RecordHeader),
    /// The same, without a footer: its write was cut off.
    CutOff(RecordHeader),
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
                return self.unsettled.pop_front().map(|found| self.judge(found)).transpose();
            }
            match self.scan.next()? {
                Some(found) => self.unsettled.push_back(found),
                None => self.is_through = true,
            }
        }
    }

    fn judge(&self, found: Found) -> io::Result<Verdict> {
        let header = match found {
            Found::Shard(header) => header,
            Found::Unfinished(header) => return Ok(Verdict::CutOff(header)),
            found => return Ok(Verdict::Counts(found)),
        };
        match self.scan.is_whole(&header) {
            Ok(true) => Ok(Verdict::Counts(Found::Shard(header))),
            Ok(false) => Ok(Verdict::Torn(header)),
            Err(error) if classify(&error) == StorageErrorKind::Failed => {
                let range = header.place.offset..header.place.offset + header.record_bytes();
                Ok(Verdict::Counts(Found::Unread(Unread { range, error })))
            }
            Err(error) => Err(error),
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
