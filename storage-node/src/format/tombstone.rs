//! The list of deletions that a tombstone record carries in place of a descriptor.

use cairn_core::id::{CommitSequence, ExtentId, SessionId};
use cairn_core::shard::ShardId;
use cairn_protocol::storage::DeleteProof;

use super::bytes_at::{array_at, u32_at, u64_at};

/// Shards in one tombstone record; a longer order takes several records.
pub const TOMBSTONE_SHARDS_MAX: usize = 1024;
const HEAD_BYTES: usize = 24;
const ENTRY_BYTES: usize = 24;

/// Deletions and the proof that allowed them (I13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    pub proof: DeleteProof,
    pub shards: Vec<ShardId>,
}

impl Tombstone {
    pub fn encode(&self) -> Vec<u8> {
        let (kind, value) = match self.proof {
            DeleteProof::Committed(CommitSequence(sequence)) => (1, sequence),
            DeleteProof::Aborted(SessionId(session)) => (2, session),
        };
        let mut out = Vec::with_capacity(HEAD_BYTES + self.shards.len() * ENTRY_BYTES);
        out.extend_from_slice(&[kind, 0, 0, 0, 0, 0, 0, 0]);
        out.extend_from_slice(&u64::to_le_bytes(value));
        out.extend_from_slice(&(self.shards.len() as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        for shard in &self.shards {
            out.extend_from_slice(&shard.extent.to_bytes());
            out.extend_from_slice(&[shard.index, 0, 0, 0, 0, 0, 0, 0]);
        }
        out
    }

    /// Reads the list. The record header's checksum covers its bytes, so `None` means a format that this release does not know.
    pub fn decode(list: &[u8]) -> Option<Self> {
        let value = u64_at(list, 8)?;
        let proof = match list.first()? {
            1 => DeleteProof::Committed(CommitSequence(value)),
            2 => DeleteProof::Aborted(SessionId(value)),
            _ => return None,
        };
        let entries = list.get(HEAD_BYTES..)?.chunks_exact(ENTRY_BYTES);
        if entries.len() != u32_at(list, 16)? as usize {
            return None;
        }
        let shard =
            |entry: &[u8]| Some(ShardId { extent: ExtentId::from_bytes(array_at(entry, 0)?), index: *entry.get(16)? });
        Some(Self { proof, shards: entries.map(shard).collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_read_back() {
        let shard = |n| ShardId { extent: ExtentId::new(SessionId(9), n), index: n as u8 };
        for proof in [DeleteProof::Committed(CommitSequence(77)), DeleteProof::Aborted(SessionId(9))] {
            let tombstone = Tombstone { proof, shards: (0..5).map(shard).collect() };
            assert_eq!(Tombstone::decode(&tombstone.encode()), Some(tombstone));
        }
        assert_eq!(Tombstone::decode(&[]), None);
        assert_eq!(Tombstone::decode(&[3; 48]), None);
    }
}
