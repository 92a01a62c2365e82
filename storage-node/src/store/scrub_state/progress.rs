//! What a scrub remembers over restarts: `scrub-progress` in the disk's directory.

use std::io;
use std::time::Duration;

use cairn_core::id::DiskId;
use cairn_protocol::storage::{ScrubCycle, ScrubFinding};
use minicbor::{Decode, Encode};

use super::options::NEWEST_MAX;
use crate::disk_io::DiskIo;
use crate::format::Place;

/// The file's name.
pub(crate) const FILE: &str = "scrub-progress";
const MAGIC: &[u8; 8] = b"CAIRNSCR";
const VERSION: u16 = 1;
const CHECKSUM_BYTES: usize = 32;

/// Why a progress file is not used. The cycle then begins again, which loses only time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgressError {
    #[error("it cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("it is damaged")]
    Damaged,
    #[error("it is of another disk or of a later release")]
    Foreign,
}

/// How far a scrub is, and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Progress {
    #[n(0)]
    version: u16,
    #[n(1)]
    disk: DiskId,
    /// The number of the running or the last cycle.
    #[n(2)]
    pub(crate) cycle: u64,
    #[n(3)]
    pub(crate) running: bool,
    #[n(4)]
    pub(crate) accelerated: bool,
    /// Wall-clock time of the cycle's beginning, for people.
    #[n(5)]
    pub(crate) started_ms: u64,
    /// How long the disk has been in service since then. Wall clocks play no part in it (I20).
    #[n(6)]
    pub(crate) elapsed_ms: u64,
    /// Everything before this place is verified.
    #[n(7)]
    pub(crate) volume: u32,
    #[n(8)]
    pub(crate) offset: u64,
    /// Where the log ended when the cycle began: what came later was just written and belongs to the next cycle.
    #[n(9)]
    pub(crate) until_volume: u32,
    #[n(10)]
    pub(crate) until_offset: u64,
    #[n(11)]
    pub(crate) bytes: u64,
    #[n(12)]
    pub(crate) shards: u64,
    #[n(13)]
    pub(crate) findings: u64,
    #[n(14)]
    pub(crate) newest: Vec<ScrubFinding>,
    #[n(15)]
    pub(crate) unreported: Vec<ScrubFinding>,
    #[n(16)]
    pub(crate) last: Option<ScrubCycle>,
}

impl Progress {
    /// The progress on a disk that was never scrubbed.
    pub(crate) fn new(disk: DiskId) -> Self {
        Self {
            version: VERSION,
            disk,
            cycle: 0,
            running: false,
            accelerated: false,
            started_ms: 0,
            elapsed_ms: 0,
            volume: 0,
            offset: 0,
            until_volume: 0,
            until_offset: 0,
            bytes: 0,
            shards: 0,
            findings: 0,
            newest: Vec::new(),
            unreported: Vec::new(),
            last: None,
        }
    }

    /// Reads what was saved; `None` on a disk that was never scrubbed.
    pub(crate) fn load(io: &dyn DiskIo, disk: DiskId) -> Result<Option<Self>, ProgressError> {
        match io.read_file(FILE) {
            Ok(bytes) => Self::decode(&bytes, disk).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Saves it, atomically and durably.
    pub(crate) fn save(&self, io: &dyn DiskIo) -> io::Result<()> {
        io.replace_file(FILE, &self.encode())
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&cairn_protocol::rpc::encode(self));
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8], disk: DiskId) -> Result<Self, ProgressError> {
        let (content, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(ProgressError::Damaged)?;
        if blake3::hash(content).as_bytes() != checksum {
            return Err(ProgressError::Damaged);
        }
        let body = content.strip_prefix(MAGIC).ok_or(ProgressError::Damaged)?;
        let progress: Self = minicbor::decode(body).map_err(|_| ProgressError::Foreign)?;
        if (progress.version, progress.disk) == (VERSION, disk) { Ok(progress) } else { Err(ProgressError::Foreign) }
    }

    /// Everything before this place is verified.
    pub(crate) fn position(&self) -> Place {
        Place { volume: self.volume, offset: self.offset }
    }

    pub(crate) fn until(&self) -> Place {
        Place { volume: self.until_volume, offset: self.until_offset }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Duration::from_millis(self.elapsed_ms)
    }

    /// Bytes that the disk holds, given how many it uses: never less than what was verified.
    pub(crate) fn total_bytes(&self, used_bytes: u64) -> u64 {
        used_bytes.max(self.bytes)
    }

    /// Begins the next cycle, which ends at `until`.
    pub(crate) fn begin(&mut self, until: Place, accelerated: bool, now_ms: u64) {
        self.cycle += 1;
        (self.running, self.accelerated) = (true, accelerated);
        (self.started_ms, self.elapsed_ms) = (now_ms, 0);
        (self.volume, self.offset) = (0, 0);
        (self.until_volume, self.until_offset) = (until.volume, until.offset);
        (self.bytes, self.shards, self.findings) = (0, 0, 0);
        self.newest.clear();
    }

    /// One more record of `bytes` is verified, and so is everything before `next`.
    pub(crate) fn advance(&mut self, next: Place, bytes: u64) {
        (self.volume, self.offset) = (next.volume, next.offset);
        self.bytes += bytes;
        self.shards += 1;
    }

    /// The scrub found a bad shard.
    pub(crate) fn add(&mut self, finding: ScrubFinding) {
        self.findings += 1;
        if self.newest.len() >= NEWEST_MAX {
            self.newest.remove(0);
        }
        self.newest.push(finding.clone());
        self.remember(finding);
    }

    /// A bad shard is to be reported to the metadata service. A shard waits once: a later finding replaces an earlier
    /// one.
    pub(crate) fn remember(&mut self, finding: ScrubFinding) {
        match self.unreported.iter_mut().find(|known| known.shard == finding.shard) {
            Some(known) => *known = finding,
            None => self.unreported.push(finding),
        }
    }

    pub(crate) fn end(&mut self, now_ms: u64) {
        (self.running, self.accelerated) = (false, false);
        let (cycle, started_ms, bytes, shards) = (self.cycle, self.started_ms, self.bytes, self.shards);
        self.last = Some(ScrubCycle { cycle, started_ms, ended_ms: now_ms, bytes, shards, findings: self.findings });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_back_and_every_flipped_bit_is_noticed() {
        let disk = DiskId::from_random([1; 16]);
        let mut progress = Progress::new(disk);
        progress.begin(Place { volume: 7, offset: 8192 }, true, 1_790_000_000_000);
        progress.advance(Place { volume: 3, offset: 4096 }, 512);
        let bytes = progress.encode();
        assert_eq!(Progress::decode(&bytes, disk).unwrap(), progress);
        for at in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[at / 8] ^= 1 << (at % 8);
            assert!(Progress::decode(&bad, disk).is_err(), "bit {at}");
        }
        assert!(matches!(Progress::decode(&bytes, DiskId::from_random([2; 16])), Err(ProgressError::Foreign)));
        assert!(matches!(Progress::decode(&bytes[..20], disk), Err(ProgressError::Damaged)));
    }
}
