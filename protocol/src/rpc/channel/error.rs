//! Why no channel was opened.

use std::io;
use std::time::Duration;

/// Why a connection did not become a channel. No request has been sent over it.
#[derive(Debug, thiserror::Error)]
pub enum ChannelError {
    /// The connection broke during the handshake. A peer that does not accept this end's proof closes it.
    #[error("the peer ended the handshake: {0}; it may know another cluster secret, or be an older release")]
    Broken(#[from] io::Error),
    #[error("the peer did not complete the handshake within {0:?}")]
    Late(Duration),
    /// Something else listens or calls there.
    #[error("the peer does not speak Cairn's internal protocol")]
    NotCairn,
    #[error("the peer speaks version {peer} of the internal protocol, this release version {own}")]
    Version { peer: u16, own: u16 },
    /// The peer could not prove that it knows the secret.
    #[error("the peer knows another cluster secret; compare `cluster.secret_file` of both")]
    Stranger,
    /// Without a secret nothing is accepted or called (I22).
    #[error("this process has no cluster secret")]
    NoSecret,
}
