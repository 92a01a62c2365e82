//! The ids of versions and uploads as clients see them.
//!
//! Inside, both are places in the log of a metadata group. Shown as they are, two of them would tell a client how many changes
//! the whole cluster has made between its own. So what a client sees is the place under a block cipher: equal for
//! every gateway of the cluster, without order, and not to be made up.

use aes::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Block};
use cairn_core::id::{ClusterId, CommitSequence, UploadId};
use cairn_core::version::VersionId;
use sha2::{Digest, Sha256};

/// What the key is derived for.
const PURPOSE: &[u8] = b"cairn: ids of versions and uploads";
/// The id of a version that has none.
const NULL: &str = "null";
/// Bytes of a block that hold the number. Those before it tell kinds of ids apart, and ids from texts that are none.
const NUMBER: std::ops::Range<usize> = 8..16;

#[derive(Clone, Copy)]
#[repr(u8)]
enum Kind {
    Version = 1,
    Upload = 2,
}

/// Translates between ids and their texts: 32 hexadecimal digits in lower case, and `null`.
pub(crate) struct ClientIds {
    cipher: Aes128,
}

impl ClientIds {
    /// The key comes from the cluster's id, which no client of the S3 API is shown. It is on every disk: ids stay the same where
    /// all metadata was lost.
    pub(crate) fn new(cluster: ClusterId) -> Self {
        let digest = Sha256::new().chain_update(PURPOSE).chain_update(cluster.to_bytes()).finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self { cipher: Aes128::new(&Array::from(key)) }
    }

    /// The text of a version's id.
    pub(crate) fn version(&self, id: VersionId) -> String {
        match id {
            VersionId::Null => NULL.to_owned(),
            VersionId::Commit(sequence) => self.seal(Kind::Version, sequence.0),
        }
    }

    /// The inverse of [`ClientIds::version`]; `None` if no version can have the id.
    pub(crate) fn parse_version(&self, text: &str) -> Option<VersionId> {
        if text == NULL {
            return Some(VersionId::Null);
        }
        self.open(Kind::Version, text).map(|number| VersionId::Commit(CommitSequence(number)))
    }

    /// The text of an upload's id.
    pub(crate) fn upload(&self, id: UploadId) -> String {
        self.seal(Kind::Upload, id.0)
    }

    /// The inverse of [`ClientIds::upload`]; `None` if no upload can have the id.
    pub(crate) fn parse_upload(&self, text: &str) -> Option<UploadId> {
        self.open(Kind::Upload, text).map(UploadId)
    }

    fn seal(&self, kind: Kind, number: u64) -> String {
        let mut block = Block::default();
        block[0] = kind as u8;
        block[NUMBER].copy_from_slice(&number.to_be_bytes());
        self.cipher.encrypt_block(&mut block);
        hex::encode(block)
    }

    /// Whether a text looks like an id, be it one of this cluster or not.
    pub(crate) fn is_well_formed(text: &str) -> bool {
        text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    }

    fn open(&self, kind: Kind, text: &str) -> Option<u64> {
        let mut bytes = [0; 16];
        if !Self::is_well_formed(text) || hex::decode_to_slice(text, &mut bytes).is_err() {
            return None;
        }
        let mut block = Block::from(bytes);
        self.cipher.decrypt_block(&mut block);
        let (head, number) = block.split_at(NUMBER.start);
        let is_ours = head[0] == kind as u8 && head[1..].iter().all(|b| *b == 0);
        number.try_into().ok().filter(|_| is_ours).map(u64::from_be_bytes)
    }
}

#[cfg(test)]
impl ClientIds {
    /// Those of a cluster that tests share.
    pub(crate) fn of_tests() -> Self {
        Self::new(ClusterId::from_bytes([7; 16]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ids_read_back(number: u64) {
            let ids = ClientIds::of_tests();
            let (version, upload) = (VersionId::Commit(CommitSequence(number)), UploadId(number));
            prop_assert_eq!(ids.parse_version(&ids.version(version)), Some(version));
            prop_assert_eq!(ids.parse_upload(&ids.upload(upload)), Some(upload));
            prop_assert_eq!(ids.parse_upload(&ids.version(version)), None, "one kind is not the other");
        }

        #[test]
        fn texts_that_are_no_ids_name_nothing(text in "[0-9a-f]{32}") {
            let ids = ClientIds::of_tests();
            prop_assert_eq!((ids.parse_version(&text), ids.parse_upload(&text)), (None, None));
        }
    }

    /// Clients keep ids: every gateway and every release must read those that another gave out (I30).
    #[test]
    fn an_id_stays_the_same() {
        let ids = ClientIds::of_tests();
        let version = ids.version(VersionId::Commit(CommitSequence(42)));
        assert_eq!(
            (version.as_str(), ids.upload(UploadId(42)).as_str()),
            ("a04d64f2931692d6ee699885bd12d8cd", "41a9686aaeb5201fb2e3f12cbb624e3b")
        );
        assert_eq!(ids.parse_version("null"), Some(VersionId::Null));
        for text in ["", "NULL", "2a", &version.to_uppercase(), &format!("{version}0"), &version[1..]] {
            assert_eq!(ids.parse_version(text), None, "{text}");
        }
        assert_ne!(
            ClientIds::new(ClusterId::from_bytes([8; 16])).version(VersionId::Commit(CommitSequence(42))),
            version
        );
    }

    /// What clients see of neighbours in the log has nothing in common, neither order nor distance.
    #[test]
    fn ids_tell_nothing_of_the_order() {
        let ids = ClientIds::of_tests();
        let texts: Vec<String> = (0..1000).map(|n| ids.version(VersionId::Commit(CommitSequence(n << 22)))).collect();
        let ascents = texts.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..600).contains(&ascents), "{ascents} of 999");
        let prefixes: std::collections::BTreeSet<&str> = texts.iter().map(|text| &text[..8]).collect();
        assert_eq!(prefixes.len(), texts.len());
    }
}
