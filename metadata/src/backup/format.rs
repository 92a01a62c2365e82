//! The format of a backup file: magic, then frames, then an end frame without which the file is incomplete. Each
//! frame's hash continues that of the one before, so a changed, missing, repeated or moved frame is detected.

use std::cmp::Ordering;
use std::io::{self, Read};

use cairn_core::id::{ClusterId, CommitSequence};
use minicbor::{Decode, Encode};

use super::BackupError;
use crate::raft::codec::LogIdRow;
use crate::raft::fitness::STATE_FORMAT;

/// First bytes of the file.
const MAGIC: &[u8; 8] = b"CAIRN-MB";
/// Version of the file's format.
const FORMAT: u32 = 1;
/// Maximum size of a frame's content in bytes. Records come in chunks of about 1 MiB, and one record is far smaller.
const FRAME_BYTES_MAX: usize = 64 << 20;
const HASH_BYTES: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// [`Head`].
    Head = 1,
    /// Records of tables, as in a snapshot.
    Records = 2,
    /// [`End`].
    End = 3,
}

/// What the backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Head {
    #[n(0)]
    pub(super) cluster: ClusterId,
    /// The last log entry in it.
    #[n(1)]
    pub(super) applied: LogIdRow,
    #[n(2)]
    pub(super) commit: CommitSequence,
    /// The clock of the member that wrote it, in milliseconds since the Unix epoch; for people.
    #[n(3)]
    pub(super) written_ms: u64,
    /// Version of the tables' format.
    #[n(4)]
    pub(super) state_format: u32,
    #[n(5)]
    pub(super) objects: u64,
}

/// Marks a complete file.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(super) struct End {
    /// Number of frames with records.
    #[n(0)]
    pub(super) frames: u64,
}

#[derive(Debug)]
pub(super) struct FrameWriter {
    hash: [u8; HASH_BYTES],
}

impl FrameWriter {
    /// The beginning of a file, and the writer of its frames.
    pub(super) fn begin() -> (Vec<u8>, Self) {
        let mut out = MAGIC.to_vec();
        out.extend(FORMAT.to_be_bytes());
        let hash = *blake3::hash(&out).as_bytes();
        (out, Self { hash })
    }

    pub(super) fn frame(&mut self, kind: Kind, content: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(1 + 4 + content.len() + HASH_BYTES);
        out.push(kind as u8);
        out.extend((content.len() as u32).to_be_bytes());
        out.extend(content);
        self.hash = continue_hash(&self.hash, &out);
        out.extend(self.hash);
        out
    }
}

fn continue_hash(before: &[u8; HASH_BYTES], frame: &[u8]) -> [u8; HASH_BYTES] {
    *blake3::Hasher::new().update(before).update(frame).finalize().as_bytes()
}

/// Reads frames and checks every one.
pub(super) struct FrameReader<R> {
    from: R,
    hash: [u8; HASH_BYTES],
    /// Bytes read so far, to report where a file is damaged.
    position: u64,
}

impl<R: Read> FrameReader<R> {
    /// Checks the beginning of the file.
    pub(super) fn begin(mut from: R) -> Result<Self, BackupError> {
        let mut start = [0; MAGIC.len() + 4];
        from.read_exact(&mut start).map_err(|e| at(0, e))?;
        let (magic, format) = start.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(BackupError::NotABackup);
        }
        let format = format.try_into().map_or(u32::MAX, u32::from_be_bytes);
        if format > FORMAT {
            return Err(BackupError::Newer { found: format, known: FORMAT });
        }
        Ok(Self { from, hash: *blake3::hash(&start).as_bytes(), position: start.len() as u64 })
    }

    pub(super) fn next(&mut self) -> Result<(Kind, Vec<u8>), BackupError> {
        let position = self.position;
        let mut frame = vec![0; 5];
        self.from.read_exact(&mut frame).map_err(|e| at(position, e))?;
        let length =
            frame.get(1..5).and_then(|b| b.try_into().ok()).map_or(usize::MAX, |b| u32::from_be_bytes(b) as usize);
        let damaged = |detail: &str| BackupError::Damaged { position, detail: detail.to_owned() };
        if length > FRAME_BYTES_MAX {
            return Err(damaged("a frame is longer than any can be"));
        }
        frame.resize(5 + length, 0);
        self.from.read_exact(&mut frame[5..]).map_err(|e| at(position, e))?;
        let mut hash = [0; HASH_BYTES];
        self.from.read_exact(&mut hash).map_err(|e| at(position, e))?;
        self.hash = continue_hash(&self.hash, &frame);
        if hash != self.hash {
            return Err(damaged("a frame does not match its checksum"));
        }
        self.position += (frame.len() + HASH_BYTES) as u64;
        let kind = match frame.first() {
            Some(1) => Kind::Head,
            Some(2) => Kind::Records,
            Some(3) => Kind::End,
            _ => return Err(damaged("a frame of an unknown kind: a newer release wrote it")),
        };
        Ok((kind, frame.split_off(5)))
    }

    /// Reads the head, which is the first frame.
    pub(super) fn head(&mut self) -> Result<Head, BackupError> {
        let position = self.position;
        let (kind, content) = self.next()?;
        let head: Option<Head> = (kind == Kind::Head).then(|| minicbor::decode(&content).ok()).flatten();
        let head = head.ok_or(BackupError::Damaged { position, detail: "it has no head".to_owned() })?;
        let (found, known) = (head.state_format, STATE_FORMAT);
        match found.cmp(&known) {
            Ordering::Equal => Ok(head),
            Ordering::Greater => Err(BackupError::Newer { found, known }),
            Ordering::Less => Err(BackupError::Older { found, known }),
        }
    }

    /// Passes every chunk of records to `take`, and checks that none is missing and nothing follows the end.
    pub(super) fn records(
        &mut self,
        mut take: impl FnMut(&[u8]) -> Result<(), BackupError>,
    ) -> Result<(), BackupError> {
        let mut frames = 0;
        loop {
            let position = self.position;
            let damaged = |detail: &str| BackupError::Damaged { position, detail: detail.to_owned() };
            match self.next()? {
                (Kind::Records, records) => {
                    frames += 1;
                    take(&records)?;
                }
                (Kind::Head, _) => return Err(damaged("a second head")),
                (Kind::End, content) => {
                    let end: End = minicbor::decode(&content).map_err(|_| damaged("its end cannot be read"))?;
                    let rest = self.from.read(&mut [0]).map_err(|e| at(self.position, e))?;
                    return if end.frames == frames && rest == 0 {
                        Ok(())
                    } else {
                        Err(damaged("it does not end where it says"))
                    };
                }
            }
        }
    }
}

fn at(position: u64, error: io::Error) -> BackupError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return BackupError::Damaged { position, detail: "it ends too early".to_owned() };
    }
    BackupError::Read { position, detail: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use openraft::{CommittedLeaderId, LogId};

    fn head() -> Head {
        Head {
            cluster: ClusterId::from_bytes([7; 16]),
            applied: LogId::new(CommittedLeaderId::new(3, cairn_core::id::MemberId(1)), 258).into(),
            commit: CommitSequence(9),
            written_ms: 1_790_000_000_000,
            state_format: STATE_FORMAT,
            objects: 4,
        }
    }

    fn file() -> Vec<u8> {
        let (mut file, mut writer) = FrameWriter::begin();
        file.extend(writer.frame(Kind::Head, &minicbor::to_vec(head()).unwrap()));
        file.extend(writer.frame(Kind::Records, b"first"));
        file.extend(writer.frame(Kind::Records, b"second"));
        file.extend(writer.frame(Kind::End, &minicbor::to_vec(End { frames: 2 }).unwrap()));
        file
    }

    fn read(file: &[u8]) -> Result<(Head, Vec<Vec<u8>>), BackupError> {
        let mut reader = FrameReader::begin(file)?;
        let head = reader.head()?;
        let mut records = Vec::new();
        reader.records(|chunk| {
            records.push(chunk.to_vec());
            Ok(())
        })?;
        Ok((head, records))
    }

    #[test]
    fn a_file_reads_back() {
        let (read_head, records) = read(&file()).unwrap();
        assert_eq!((read_head, records), (head(), vec![b"first".to_vec(), b"second".to_vec()]));
    }

    /// I30: the golden beginning of a backup.
    #[test]
    fn the_head_keeps_its_encoding() {
        let golden = b"\xa6\x00\x50\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x01\x83\x03\x01\x19\x01\x02\x02\x09\x03\x1b\x00\x00\x01\xa0\xc4\x50\x6c\x00\x04\x06\x05\x04";
        assert_eq!(minicbor::to_vec(head()).unwrap(), golden);
    }

    #[test]
    fn every_flipped_byte_and_every_missing_end_is_noticed() {
        let good = file();
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 0x10;
            assert!(read(&bad).is_err(), "byte {index}");
            assert!(read(&good[..index]).is_err(), "cut at {index}");
        }
        assert!(read(&[good.as_slice(), b"x"].concat()).is_err());
        let newer = [MAGIC.as_slice(), &2u32.to_be_bytes(), &good[12..]].concat();
        assert!(matches!(read(&newer), Err(BackupError::Newer { found: 2, known: 1 })));
    }

    #[test]
    fn a_backup_of_another_state_format_is_refused() {
        let of_format = |state_format| {
            let (mut file, mut writer) = FrameWriter::begin();
            file.extend(writer.frame(Kind::Head, &minicbor::to_vec(Head { state_format, ..head() }).unwrap()));
            read(&file).unwrap_err()
        };
        assert!(matches!(of_format(STATE_FORMAT - 1), BackupError::Older { found: 5, known: 6 }));
        assert!(matches!(of_format(STATE_FORMAT + 1), BackupError::Newer { found: 7, known: 6 }));
    }
}
