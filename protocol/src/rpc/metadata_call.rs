//! Calls that take effect once, however often they are sent.
//!
//! A client numbers its commands, and with each one says below which number it awaits no more answers. The service
//! keeps the outcomes from that number on in the replicated state, and answers a repetition from them. Age plays no
//! role: an outcome is dropped only when its client no longer needs it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use cairn_core::random::RandomSource;
use cairn_core::sync::IgnorePoison;
use minicbor::{Decode, Encode};
use tokio::sync::Notify;

/// Largest distance between the numbers of the oldest and the newest open call. It bounds what the service keeps for
/// one client.
const SPAN_MAX: u64 = 16_384;

/// One run of a process that sends commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ClientId(#[cbor(with = "minicbor::bytes")] [u8; 16]);

impl ClientId {
    /// A new, random id.
    pub fn draw(random: &dyn RandomSource) -> Self {
        Self(random.bytes16())
    }

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// Names one command of one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct CallTag {
    #[n(0)]
    pub client: ClientId,
    /// Counts the client's commands.
    #[n(1)]
    pub number: u64,
    /// The client awaits no answer below this number.
    #[n(2)]
    pub settled: u64,
    /// Whether the command was sent before and may have taken effect then.
    #[n(3)]
    pub repeated: bool,
}

/// Numbers the calls of one client.
#[derive(Debug)]
pub struct Calls {
    client: ClientId,
    open: Mutex<Open>,
    /// Wakes those who wait for a number when a call has ended.
    ended: Notify,
}

#[derive(Debug)]
struct Open {
    next: u64,
    numbers: BTreeSet<u64>,
}

/// A call whose answer is awaited. Dropping it settles it, with or without an answer.
#[derive(Debug)]
pub struct OpenCall<'a> {
    calls: &'a Calls,
    number: u64,
}

impl Calls {
    /// Starts a new client.
    pub fn new(random: &dyn RandomSource) -> Self {
        let open = Mutex::new(Open { next: 1, numbers: BTreeSet::new() });
        Self { client: ClientId::draw(random), open, ended: Notify::new() }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().ignore_poison()
    }

    /// The next call. Waits while the oldest open one is too far behind.
    pub async fn begin(&self) -> OpenCall<'_> {
        loop {
            // Registered before checking, so that no ended call is missed in between.
            let ended = self.ended.notified();
            if let Some(number) = self.take() {
                return OpenCall { calls: self, number };
            }
            ended.await;
        }
    }

    fn take(&self) -> Option<u64> {
        let mut open = self.open();
        let number = open.next;
        if open.numbers.first().is_some_and(|first| number - first >= SPAN_MAX) {
            return None;
        }
        open.next += 1;
        open.numbers.insert(number);
        Some(number)
    }
}

impl OpenCall<'_> {
    pub fn tag(&self, repeated: bool) -> CallTag {
        let settled = self.calls.open().numbers.first().copied().unwrap_or(self.number);
        CallTag { client: self.calls.client, number: self.number, settled, repeated }
    }
}

impl Drop for OpenCall<'_> {
    fn drop(&mut self) {
        self.calls.open().numbers.remove(&self.number);
        self.calls.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::testing::CountingRandom;

    use super::*;

    #[tokio::test]
    async fn dropped_calls_are_settled() {
        let calls = Calls::new(&CountingRandom::default());
        let (first, second) = (calls.begin().await, calls.begin().await);
        assert_eq!((second.tag(false).number, second.tag(false).settled), (2, 1));
        drop(first);
        assert_eq!((second.tag(true).settled, second.tag(true).repeated), (2, true));
        let third = calls.begin().await;
        drop(second);
        assert_eq!((third.tag(false).number, third.tag(false).settled), (3, 3));
    }

    #[tokio::test]
    async fn open_calls_span_a_bounded_range() {
        let calls = Calls::new(&CountingRandom::default());
        let oldest = calls.begin().await;
        for _ in 1..SPAN_MAX {
            drop(calls.begin().await);
        }
        assert!(calls.take().is_none());
        let waiting = calls.begin();
        let release = async { drop(oldest) };
        let (call, ()) = tokio::join!(waiting, release);
        assert_eq!(call.tag(false).settled, SPAN_MAX + 1);
    }

    #[test]
    fn tags_keep_their_encoding() {
        let tag = CallTag { client: ClientId([7; 16]), number: 300, settled: 299, repeated: true };
        let bytes = minicbor::to_vec(tag).unwrap();
        assert_eq!(
            bytes,
            b"\x84\x50\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x07\x19\x01\x2c\x19\x01\x2b\xf5"
        );
        assert_eq!(minicbor::decode::<CallTag>(&bytes).unwrap(), tag);
    }
}
