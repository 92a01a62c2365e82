//! The bytes that two processes exchange before the first request.
//!
//! The caller sends `magic, version, roles, nonce`; the acceptor answers `magic, version, nonce, proof`; the caller sends its
//! proof. Each proof covers both nonces, both versions and the roles.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::error::ChannelError;
use super::key::TAG_BYTES;
use crate::rpc::roles::Roles;

/// First bytes of both ends.
pub(super) const MAGIC: [u8; 8] = *b"CAIRNRPC";
/// Version of the handshake and of what tags cover.
pub(super) const VERSION: u16 = 1;
/// Random bytes of each end.
const NONCE_BYTES: usize = 16;

/// What the caller says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallerHello {
    pub(super) version: u16,
    pub(super) roles: Roles,
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl CallerHello {
    pub(super) fn encode(self) -> Vec<u8> {
        [&MAGIC[..], &self.version.to_be_bytes(), &self.roles.bits().to_be_bytes(), &self.nonce].concat()
    }

    /// Reads what follows the magic.
    pub(super) async fn read_rest(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, ChannelError> {
        let (version, roles) = (stream.read_u16().await?, stream.read_u16().await?);
        let mut nonce = [0; NONCE_BYTES];
        stream.read_exact(&mut nonce).await?;
        Ok(Self { version, roles: Roles::from_bits(roles), nonce })
    }
}

/// What the acceptor answers, without its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AcceptorHello {
    pub(super) version: u16,
    pub(super) nonce: [u8; NONCE_BYTES],
}

impl AcceptorHello {
    pub(super) fn encode(self) -> Vec<u8> {
        [&MAGIC[..], &self.version.to_be_bytes(), &self.nonce].concat()
    }

    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Self, ChannelError> {
        read_magic(stream).await?;
        let version = stream.read_u16().await?;
        let mut nonce = [0; NONCE_BYTES];
        stream.read_exact(&mut nonce).await?;
        Ok(Self { version, nonce })
    }
}

/// Reads the magic. Anything else is a peer of another kind.
pub(super) async fn read_magic(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), ChannelError> {
    let mut magic = [0; MAGIC.len()];
    stream.read_exact(&mut magic).await?;
    if magic == MAGIC { Ok(()) } else { Err(ChannelError::NotCairn) }
}

pub(super) async fn read_proof(stream: &mut (impl AsyncRead + Unpin)) -> Result<[u8; TAG_BYTES], ChannelError> {
    let mut proof = [0; TAG_BYTES];
    stream.read_exact(&mut proof).await?;
    Ok(proof)
}

/// What the proofs cover: everything said before them.
pub(super) fn transcript(caller: CallerHello, acceptor: AcceptorHello) -> Vec<u8> {
    [caller.encode(), acceptor.encode()].concat()
}
