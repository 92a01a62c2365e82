//! The calling end.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::random::RandomSource;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncWriteExt, BufReader};

use super::error::ChannelError;
use super::handshake::{AcceptorHello, CallerHello, VERSION, read_proof, transcript};
use super::key::{ChannelKey, ClusterKey, End};
use crate::net::BoxedStream;
use crate::rpc::roles::Roles;

/// Time for a handshake, once the connection is there.
const LIMIT: Duration = Duration::from_secs(5);

/// Opens channels for one process.
#[derive(Clone)]
pub(in crate::rpc) struct Opener {
    key: Option<ClusterKey>,
    roles: Roles,
    random: Arc<dyn RandomSource>,
}

impl Opener {
    pub(in crate::rpc) fn new(secret: &str, roles: Roles, random: Arc<dyn RandomSource>) -> Self {
        Self { key: ClusterKey::new(secret), roles, random }
    }

    /// Turns a new connection into a channel. The peer has proven that it knows the secret, and has seen no request yet.
    pub(in crate::rpc) async fn open(&self, stream: BoxedStream) -> Result<(BoxedStream, ChannelKey), ChannelError> {
        tokio::time::timeout(LIMIT, self.shake_hands(stream)).await.map_err(|_| ChannelError::Late(LIMIT))?
    }

    async fn shake_hands(&self, mut stream: BoxedStream) -> Result<(BoxedStream, ChannelKey), ChannelError> {
        let key = self.key.as_ref().ok_or(ChannelError::NoSecret)?;
        let own = CallerHello { version: VERSION, roles: self.roles, nonce: self.random.bytes16() };
        stream.write_all(&own.encode()).await?;
        // The acceptor sends nothing beyond its proof before the first request, so the buffer ends empty.
        let mut reader = BufReader::new(&mut stream);
        let peer = AcceptorHello::read(&mut reader).await?;
        let proof = read_proof(&mut reader).await?;
        if peer.version != VERSION {
            return Err(ChannelError::Version { peer: peer.version, own: VERSION });
        }
        let transcript = transcript(own, peer);
        if !bool::from(proof.ct_eq(&key.proof(End::Acceptor, &transcript))) {
            return Err(ChannelError::Stranger);
        }
        stream.write_all(&key.proof(End::Caller, &transcript)).await?;
        Ok((stream, key.channel(&transcript)))
    }
}
