//! The key of a volume's record checksums.

use super::identity_block::DiskIdentity;

/// The key for the BLAKE3 of record headers and footers. A record that was copied from another volume, disk or cluster does
/// not verify under it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VolumeKey([u8; 32]);

impl DiskIdentity {
    /// The key of a volume's record checksums.
    pub fn volume_key(&self, volume: u32) -> VolumeKey {
        VolumeKey::derive(self, volume)
    }
}

impl VolumeKey {
    fn derive(identity: &DiskIdentity, volume: u32) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("cairn storage-node volume v1 record checksums");
        hasher.update(&identity.salt);
        hasher.update(&identity.cluster.to_bytes());
        hasher.update(&identity.disk.to_bytes());
        hasher.update(&volume.to_le_bytes());
        Self(*hasher.finalize().as_bytes())
    }

    /// BLAKE3 of the parts, one after the other, under this key.
    pub(super) fn checksum(&self, parts: [&[u8]; 2]) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(part);
        }
        *hasher.finalize().as_bytes()
    }
}

impl std::fmt::Debug for VolumeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("VolumeKey(…)")
    }
}
