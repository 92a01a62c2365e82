//! Both ends over a pipe, and what somebody between them can do.

use std::sync::Arc;

use cairn_core::testing::CountingRandom;
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::net::BoxedStream;
use crate::rpc::roles::Roles;

const SECRET: &str = "a secret of the cluster";
/// Bytes of a handshake: what the caller and the acceptor say.
const CALLER_BYTES: usize = 28 + 32;
const ACCEPTOR_BYTES: usize = 26 + 32;

fn opener(secret: &str, seed: u64) -> Opener {
    Opener::new(secret, Roles::GATEWAY, Arc::new(CountingRandom::new(seed)))
}

fn acceptor(secret: &str, seed: u64) -> Acceptor {
    Acceptor::new(secret, Arc::new(CountingRandom::new(seed)))
}

/// Passes the handshake's bytes on, after `change` had its way with one direction's.
async fn relay(
    mut caller: DuplexStream,
    mut acceptor: DuplexStream,
    mut change: impl FnMut(&mut [u8], bool),
) -> (Vec<u8>, Vec<u8>) {
    let (mut said, mut answered) = (vec![0; 28], vec![0; ACCEPTOR_BYTES]);
    caller.read_exact(&mut said).await.unwrap();
    let mut sent = said.clone();
    change(&mut sent, true);
    acceptor.write_all(&sent).await.unwrap();
    if acceptor.read_exact(&mut answered).await.is_ok() {
        let mut sent = answered.clone();
        change(&mut sent, false);
        caller.write_all(&sent).await.unwrap();
        let mut proof = vec![0; CALLER_BYTES - said.len()];
        if caller.read_exact(&mut proof).await.is_ok() {
            acceptor.write_all(&proof).await.unwrap();
            said.extend(proof);
        }
    }
    (said, answered)
}

type Opened = Result<(BoxedStream, ChannelKey), ChannelError>;
type Accepted = Result<(BoxedStream, Channel), ChannelError>;

/// A handshake with somebody between the ends.
async fn handshake(
    opener: &Opener,
    acceptor: &Acceptor,
    change: impl FnMut(&mut [u8], bool),
) -> (Opened, Accepted, (Vec<u8>, Vec<u8>)) {
    let (near, far) = (tokio::io::duplex(1 << 10), tokio::io::duplex(1 << 10));
    tokio::join!(opener.open(Box::new(near.0)), acceptor.accept(Box::new(far.0)), relay(near.1, far.1, change))
}

fn origin(channel: &Channel) -> Origin {
    let mut request = Request::new(());
    channel.mark(&mut request);
    request.extensions().get::<Origin>().unwrap().clone()
}

fn verifies(origin: &Origin, tag: &str, message: &[u8]) -> bool {
    origin.verifies(tag.as_bytes(), "/path", MessagePlace::Body, message)
}

#[tokio::test]
async fn a_tag_is_good_for_one_request_of_one_channel() {
    let (opener, acceptor) = (opener(SECRET, 1), acceptor(SECRET, 2));
    let (near_end, far_end, _) = handshake(&opener, &acceptor, |_, _| {}).await;
    let ((_, key), (_, channel)) = (near_end.unwrap(), far_end.unwrap());
    let tag = |number| key.tag(number, "/path", MessagePlace::Body, b"message");
    let (first, second) = (origin(&channel), origin(&channel));
    assert!(verifies(&first, &tag(0), b"message") && verifies(&second, &tag(1), b"message"));
    assert!(!verifies(&second, &tag(0), b"message"), "replayed on its own channel");
    assert!(!verifies(&first, &tag(0), b"another message"));
    assert!(!first.verifies(tag(0).as_bytes(), "/another", MessagePlace::Body, b"message"));
    assert!(!first.verifies(tag(0).as_bytes(), "/path", MessagePlace::Header, b"message"));
    assert!(!first.verifies(b"", "/path", MessagePlace::Body, b"message"));
    assert!(!verifies(&first, &tag(0)[..62], b"message"));
    let (_, again, _) = handshake(&opener, &acceptor, |_, _| {}).await;
    assert!(!verifies(&origin(&again.unwrap().1), &tag(0), b"message"), "replayed on another channel");
}

#[tokio::test]
async fn a_changed_byte_of_a_handshake_opens_nothing() {
    for position in 0..28 + ACCEPTOR_BYTES {
        let flip = |bytes: &mut [u8], said: bool| {
            let index = if said { Some(position) } else { position.checked_sub(28) };
            if let Some(byte) = index.and_then(|index| bytes.get_mut(index)) {
                *byte ^= 1;
            }
        };
        let (near_end, far_end, _) = handshake(&opener(SECRET, 1), &acceptor(SECRET, 2), flip).await;
        assert!(near_end.is_err() && far_end.is_err(), "byte {position}");
    }
}

#[tokio::test]
async fn a_captured_handshake_cannot_be_replayed_to_either_end() {
    let acceptor = acceptor(SECRET, 2);
    let (_, far_end, (said, answered)) = handshake(&opener(SECRET, 1), &acceptor, |_, _| {}).await;
    far_end.unwrap();
    let (mut caller, far) = tokio::io::duplex(1 << 10);
    caller.write_all(&said).await.unwrap();
    assert!(matches!(acceptor.accept(Box::new(far)).await, Err(ChannelError::Stranger)));
    let (mut acceptor, near) = tokio::io::duplex(1 << 10);
    acceptor.write_all(&answered).await.unwrap();
    assert!(matches!(opener(SECRET, 3).open(Box::new(near)).await, Err(ChannelError::Stranger)));
}

#[tokio::test]
async fn without_the_secret_nothing_is_opened_and_each_end_says_why() {
    let (near_end, far_end, _) = handshake(&opener("a guess", 1), &acceptor(SECRET, 2), |_, _| {}).await;
    assert!(matches!(near_end, Err(ChannelError::Stranger)) && matches!(far_end, Err(ChannelError::Broken(_))));
    let (near, far) = tokio::io::duplex(1 << 10);
    assert!(matches!(opener("", 1).open(Box::new(near)).await, Err(ChannelError::NoSecret)));
    assert!(matches!(acceptor("", 1).accept(Box::new(far)).await, Err(ChannelError::NoSecret)));
}

#[tokio::test]
async fn plain_http_is_told_that_it_is_at_the_wrong_port() {
    let (mut browser, far) = tokio::io::duplex(1 << 10);
    browser.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(matches!(acceptor(SECRET, 1).accept(Box::new(far)).await, Err(ChannelError::NotCairn)));
    let mut answer = String::new();
    browser.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 ") && answer.contains("ports of their own"), "{answer}");
}
