//! The called end.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::random::RandomSource;
use subtle::ConstantTimeEq;
use tokio::io::AsyncWriteExt;

use super::error::ChannelError;
use super::handshake::{AcceptorHello, CallerHello, VERSION, read_magic, read_proof, transcript};
use super::key::{ClusterKey, End};
use super::origin::Channel;
use crate::net::BoxedStream;

/// Time for a handshake. A connection that needs longer is closed, so that strangers hold none for long.
const LIMIT: Duration = Duration::from_secs(5);
/// What a peer is told that speaks plain HTTP here: a browser, a probe, or an earlier release.
const NOT_HERE: &[u8] = b"HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n\
    This port speaks the internal protocol of Cairn's processes, version 1. S3 and the admin API have ports of their own.\n";

/// Accepts channels for one process. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    key: Option<ClusterKey>,
    random: Arc<dyn RandomSource>,
}

impl Acceptor {
    /// Accepts who knows the cluster's secret. With an empty secret it accepts nobody (I22).
    pub fn new(secret: &str, random: Arc<dyn RandomSource>) -> Self {
        Self { key: ClusterKey::new(secret), random }
    }

    /// Turns a connection into a channel, whose requests follow on the stream that is returned. Whoever calls has proven
    /// that they know the secret.
    pub async fn accept(&self, mut stream: BoxedStream) -> Result<(BoxedStream, Channel), ChannelError> {
        let channel = tokio::time::timeout(LIMIT, self.shake_hands(&mut stream)).await;
        Ok((stream, channel.map_err(|_| ChannelError::Late(LIMIT))??))
    }

    async fn shake_hands(&self, stream: &mut BoxedStream) -> Result<Channel, ChannelError> {
        let key = self.key.as_ref().ok_or(ChannelError::NoSecret)?;
        if let Err(error) = read_magic(stream).await {
            // Only for people and old releases; who is gone misses nothing.
            let _ = stream.write_all(NOT_HERE).await;
            return Err(error);
        }
        let peer = CallerHello::read_rest(stream).await?;
        let own = AcceptorHello { version: VERSION, nonce: self.random.bytes16() };
        let transcript = transcript(peer, own);
        let answer = [own.encode(), key.proof(End::Acceptor, &transcript).to_vec()].concat();
        stream.write_all(&answer).await?;
        if peer.version != VERSION {
            return Err(ChannelError::Version { peer: peer.version, own: VERSION });
        }
        let proof = read_proof(stream).await?;
        if bool::from(proof.ct_eq(&key.proof(End::Caller, &transcript))) {
            Ok(Channel::new(key.channel(&transcript), peer.roles))
        } else {
            Err(ChannelError::Stranger)
        }
    }
}
