//! Keys, and what they sign.

use subtle::ConstantTimeEq;

/// Domain of the key that is derived from the cluster's secret. A change of what is signed changes it.
const CONTEXT: &str = "cairn internal rpc channel v1";

/// Bytes of a proof or tag.
pub(super) const TAG_BYTES: usize = 32;

/// What the processes of a cluster have in common: a key made of the secret.
#[derive(Clone)]
pub(super) struct ClusterKey([u8; 32]);

impl ClusterKey {
    /// `None` for an empty secret.
    pub(super) fn new(secret: &str) -> Option<Self> {
        (!secret.is_empty()).then(|| Self(blake3::derive_key(CONTEXT, secret.as_bytes())))
    }

    /// What one end shows the other: only who knows the secret can make it, only for this handshake, only for this end.
    pub(super) fn proof(&self, end: End, transcript: &[u8]) -> [u8; TAG_BYTES] {
        self.sign(end.label(), transcript)
    }

    pub(super) fn channel(&self, transcript: &[u8]) -> ChannelKey {
        ChannelKey(self.sign("channel", transcript))
    }

    fn sign(&self, label: &str, transcript: &[u8]) -> [u8; TAG_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(label.as_bytes()).update(transcript);
        *hasher.finalize().as_bytes()
    }
}

/// An end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Caller,
    Acceptor,
}

impl End {
    const fn label(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Acceptor => "acceptor",
        }
    }
}

/// Where a request carries its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rpc) enum MessagePlace {
    Body,
    /// The body is a stream, which the tag does not cover.
    Header,
}

/// The key of one channel.
#[derive(Clone)]
pub(in crate::rpc) struct ChannelKey([u8; 32]);

impl ChannelKey {
    /// The tag, in hex, of the request with this number on its channel.
    pub(in crate::rpc) fn tag(&self, number: u64, path: &str, place: MessagePlace, message: &[u8]) -> String {
        hex::encode(self.sign(number, path, place, message))
    }

    /// Whether `tag` is that of this request. Takes the same time wherever they differ.
    pub(in crate::rpc) fn verifies(
        &self,
        tag: &[u8],
        number: u64,
        path: &str,
        place: MessagePlace,
        message: &[u8],
    ) -> bool {
        let expected = self.sign(number, path, place, message);
        hex::decode(tag).is_ok_and(|tag| tag.ct_eq(&expected[..]).into())
    }

    fn sign(&self, number: u64, path: &str, place: MessagePlace, message: &[u8]) -> [u8; TAG_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        // Every field has a fixed length or is preceded by it, so that no two requests have the same bytes.
        hasher.update(&number.to_be_bytes()).update(&[u8::from(place == MessagePlace::Header)]);
        hasher.update(&(path.len() as u64).to_be_bytes()).update(path.as_bytes()).update(message);
        *hasher.finalize().as_bytes()
    }
}
