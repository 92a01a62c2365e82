//! What a caller is told of a command, compared with what the members did (I40). Time and network are simulated.
#![expect(clippy::disallowed_methods, reason = "reads the paused clock of the runtime")]

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_trait::async_trait;
use bytes::Bytes;
use cairn_core::name::BucketName;
use cairn_core::testing::{CountingRandom, TestClock};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::*;
use crate::metadata::MetadataExt;
use crate::metadata::command::CreateBucket;
use crate::net::testing::MemoryNetwork;
use crate::net::{BoxedStream, Connect, Listen, Stream};
use crate::rpc::{Acceptor, Channel, Identity, Roles, answer, receive};

const SECRET: &str = "a secret of the cluster";
const ADDR: &str = "10.0.0.1:9002";
const MESSAGE_BYTES_MAX: usize = 4096;

/// A member that applies commands. Before `from` it is not ready and says so; once it is, its answers may be withheld.
struct Member {
    from: Instant,
    answers: bool,
    /// It follows this leader, and only does what it is asked to pass on.
    follows: Option<&'static str>,
    applied: AtomicUsize,
    /// Commands that came as repetitions.
    repeated: AtomicUsize,
}

impl Member {
    fn ready(answers: bool, from: Instant) -> Arc<Self> {
        Arc::new(Self { from, answers, follows: None, applied: AtomicUsize::new(0), repeated: AtomicUsize::new(0) })
    }

    fn following(leader: &'static str) -> Arc<Self> {
        let (applied, repeated) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { from: Instant::now(), answers: true, follows: Some(leader), applied, repeated })
    }

    async fn execute(
        &self,
        channel: &Channel,
        mut request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        channel.mark(&mut request);
        let is_relayed = request.uri().path() == MetadataPath::EXECUTE.relay;
        if request.uri().path() == MetadataPath::SIGNAL.direct {
            self.applied.fetch_add(1, Ordering::Relaxed);
            std::future::pending::<()>().await;
        }
        let message: Execute = match receive(request, Roles::GATEWAY, MESSAGE_BYTES_MAX).await {
            Ok(message) => message,
            Err(refusal) => return Ok(refusal.into_response()),
        };
        let result = if Instant::now() < self.from {
            Err(MetadataFailure::Unavailable("not ready".to_owned()))
        } else if let Some(leader) = self.follows.filter(|_| !is_relayed) {
            Err(MetadataFailure::NotLeader(Some(leader.to_owned())))
        } else {
            self.applied.fetch_add(1, Ordering::Relaxed);
            let is_repeated = message.call.is_some_and(|call| call.repeated);
            self.repeated.fetch_add(usize::from(is_repeated), Ordering::Relaxed);
            if !self.answers {
                std::future::pending::<()>().await;
            }
            Ok(Outcome::Done)
        };
        Ok(answer(&result, |_| StatusCode::SERVICE_UNAVAILABLE))
    }

    async fn serve(self: Arc<Self>, network: &MemoryNetwork) {
        self.serve_at(network, ADDR).await;
    }

    async fn serve_at(self: Arc<Self>, network: &MemoryNetwork, addr: &str) {
        let listener = network.bind(addr).await.unwrap();
        let acceptor = Acceptor::new(SECRET, Arc::new(CountingRandom::new(1)));
        tokio::spawn(async move {
            while let Ok(stream) = listener.accept().await {
                tokio::spawn(Arc::clone(&self).connection(acceptor.clone(), stream));
            }
        });
    }

    async fn connection(self: Arc<Self>, acceptor: Acceptor, stream: BoxedStream) {
        let Ok((stream, channel)) = acceptor.accept(stream).await else { return };
        let service = service_fn(|request| self.execute(&channel, request));
        // A connection that was cut ends with an error.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }
}

/// What happens to the bytes of a connection beyond its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The connection breaks.
    Cut,
    /// Nothing passes any more, and nobody is told.
    Silence,
}

/// Lets one connection through, for a limited number of bytes; there is no second one.
struct Faulty {
    inner: MemoryNetwork,
    fault: Fault,
    /// Bytes that pass to the member, and from it.
    request_bytes: usize,
    answer_bytes: usize,
    connections: AtomicUsize,
}

#[async_trait]
impl Connect for Faulty {
    async fn connect(&self, addr: &str) -> io::Result<BoxedStream> {
        if self.connections.fetch_add(1, Ordering::Relaxed) > 0 {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let inner = self.inner.connect(addr).await?;
        let (request, answer) = (self.request_bytes, self.answer_bytes);
        Ok(Box::new(FaultyStream { inner: Some(inner), fault: self.fault, request, answer }))
    }
}

struct FaultyStream {
    /// `None` once it is cut: the member notices.
    inner: Option<Box<dyn Stream>>,
    fault: Fault,
    request: usize,
    answer: usize,
}

impl FaultyStream {
    fn fail<T>(&mut self) -> Poll<io::Result<T>> {
        match self.fault {
            Fault::Cut => {
                self.inner = None;
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            Fault::Silence => Poll::Pending,
        }
    }
}

impl AsyncRead for FaultyStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let Some(inner) = this.inner.as_mut().filter(|_| this.answer > 0) else { return this.fail() };
        let mut bytes = vec![0; this.answer.min(out.remaining())];
        let mut part = ReadBuf::new(&mut bytes);
        let polled = Pin::new(inner).poll_read(cx, &mut part);
        this.answer -= part.filled().len();
        out.put_slice(part.filled());
        polled
    }
}

impl AsyncWrite for FaultyStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let some = bytes.len().min(this.request);
        let Some(inner) = this.inner.as_mut().filter(|_| some > 0) else { return this.fail() };
        let polled = Pin::new(inner).poll_write(cx, &bytes[..some]);
        if let Poll::Ready(Ok(written)) = &polled {
            this.request -= written;
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.inner.as_mut() {
            Some(inner) => Pin::new(inner).poll_flush(cx),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.inner.as_mut() {
            Some(inner) => Pin::new(inner).poll_shutdown(cx),
            None => Poll::Ready(Ok(())),
        }
    }
}

/// Runs one command against `member`. Demands that its caller is not told *no* of what was applied, and *yes* only then.
async fn run(member: &Member, network: Arc<dyn Connect>, when: &str) -> Result<(), MetadataError> {
    let identity = Identity { secret: SECRET.to_owned(), roles: Roles::GATEWAY };
    let rpc = RpcClient::new(&identity, Arc::new(TestClock::still()), Arc::new(CountingRandom::new(2)), network);
    let client = HttpMetadata::new(rpc, vec![ADDR.to_owned()], &CountingRandom::new(7));
    let told = client.run(CreateBucket { name: BucketName::new("photos").unwrap(), region: String::new() }).await;
    let applied = member.applied.load(Ordering::Relaxed) > 0;
    match &told {
        Ok(()) => assert!(applied, "a false yes, {when}"),
        Err(error) => assert!(!(applied && error.is_definite_no()), "a false no, {when}: {error}"),
    }
    told
}

/// The limit of the call may end it at any moment of an attempt.
#[tokio::test(start_paused = true)]
async fn a_call_that_ends_within_an_attempt_has_an_unknown_outcome() {
    for ready_after_ms in [0, 5_000, 13_900, 14_000, 14_100, 17_000, 19_850] {
        let network = MemoryNetwork::new();
        let member = Member::ready(false, Instant::now() + Duration::from_millis(ready_after_ms));
        Arc::clone(&member).serve(&network).await;
        let told = run(&member, Arc::new(network), &format!("ready after {ready_after_ms} ms")).await;
        assert!(member.applied.load(Ordering::Relaxed) > 0, "ready after {ready_after_ms} ms: nothing was applied");
        assert!(matches!(told, Err(MetadataError::Unknown(_))), "ready after {ready_after_ms} ms: {told:?}");
    }
}

/// The connection breaks, or falls silent, at each byte of the request and of the answer.
#[tokio::test(start_paused = true)]
async fn no_byte_at_which_a_connection_is_lost_makes_a_false_answer() {
    let (mut yes, mut unknown) = (0, 0);
    for fault in [Fault::Cut, Fault::Silence] {
        for of_answer in [false, true] {
            for bytes in (0..MESSAGE_BYTES_MAX).step_by(if fault == Fault::Cut { 1 } else { 7 }) {
                let network = MemoryNetwork::new();
                let member = Member::ready(true, Instant::now());
                Arc::clone(&member).serve(&network).await;
                let (request_bytes, answer_bytes) = if of_answer { (usize::MAX, bytes) } else { (bytes, usize::MAX) };
                let connections = AtomicUsize::new(0);
                let faulty = Faulty { inner: network, fault, request_bytes, answer_bytes, connections };
                match run(&member, Arc::new(faulty), &format!("{fault:?} at byte {bytes}, answer: {of_answer}")).await {
                    Ok(()) => {
                        yes += 1;
                        break;
                    }
                    Err(_) => unknown += 1,
                }
            }
        }
    }
    assert!(yes == 4 && unknown > 500, "{yes} {unknown}: the fault moved through whole messages");
}

fn client_of(network: MemoryNetwork, members: Vec<String>, clock: Arc<TestClock>) -> HttpMetadata {
    let identity = Identity { secret: SECRET.to_owned(), roles: Roles::GATEWAY };
    let rpc = RpcClient::new(&identity, clock, Arc::new(CountingRandom::new(2)), Arc::new(network));
    HttpMetadata::new(rpc, members, &CountingRandom::new(7))
}

async fn create(client: &HttpMetadata, n: usize) {
    let name = BucketName::new(&format!("bucket-{n}")).unwrap();
    client.run(CreateBucket { name, region: String::new() }).await.unwrap();
}

/// I24: a member that hangs delays one call, and not each that has to find the leader.
#[tokio::test(start_paused = true)]
async fn a_member_that_hangs_is_asked_last() {
    let network = MemoryNetwork::new();
    let (hanging, leader) = (Member::ready(false, Instant::now()), Member::ready(true, Instant::now()));
    let addrs = vec![ADDR.to_owned(), "10.0.0.2:9002".to_owned()];
    Arc::clone(&hanging).serve_at(&network, &addrs[0]).await;
    Arc::clone(&leader).serve_at(&network, &addrs[1]).await;
    let client = client_of(network, addrs, Arc::new(TestClock::still()));
    for n in 1..=3 {
        create(&client, n).await;
        // Another call has met a member that does not lead any more.
        client.route.send_replace(None);
        assert_eq!(leader.applied.load(Ordering::Relaxed), n);
    }
    assert_eq!(hanging.applied.load(Ordering::Relaxed), 1, "it was asked again before the one that answers");
}

/// I24: whoever alone does not reach the leader is served through a member that follows it, and directly once it can be.
#[tokio::test(start_paused = true)]
async fn calls_to_a_leader_that_is_not_reached_are_passed_on() {
    let network = MemoryNetwork::new();
    let addrs = vec![ADDR.to_owned(), "10.0.0.2:9002".to_owned()];
    let follower = Member::following(ADDR);
    Arc::clone(&follower).serve_at(&network, &addrs[1]).await;
    let clock = Arc::new(TestClock::still());
    let client = client_of(network.clone(), addrs, Arc::clone(&clock));
    let begun = Instant::now();
    for n in 1..=3 {
        create(&client, n).await;
        assert_eq!(follower.applied.load(Ordering::Relaxed), n, "it was passed on");
    }
    assert!(begun.elapsed() < ROUND_PAUSE * 2, "only the first call looked for a way");
    let leader = Member::ready(true, Instant::now());
    Arc::clone(&leader).serve_at(&network, ADDR).await;
    create(&client, 4).await;
    assert_eq!(follower.applied.load(Ordering::Relaxed), 4, "the way is kept for a while");
    clock.advance(Duration::from_mins(2));
    for n in 5..=7 {
        create(&client, n).await;
    }
    assert_eq!((follower.applied.load(Ordering::Relaxed), leader.applied.load(Ordering::Relaxed)), (4, 3));
}

/// Another call finds the new leader while one is under way: what the old leader did is not known.
#[tokio::test(start_paused = true)]
async fn a_call_that_gives_way_to_another_leader_is_a_repetition() {
    let network = MemoryNetwork::new();
    let addrs = vec![ADDR.to_owned(), "10.0.0.2:9002".to_owned()];
    let (old, new) = (Member::ready(false, Instant::now()), Member::ready(true, Instant::now()));
    Arc::clone(&old).serve_at(&network, &addrs[0]).await;
    Arc::clone(&new).serve_at(&network, &addrs[1]).await;
    let client = client_of(network, addrs.clone(), Arc::new(TestClock::still()));
    let found = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        client.expect_leader(addrs[1].clone());
    };
    let begun = Instant::now();
    tokio::join!(create(&client, 1), found);
    assert!(begun.elapsed() < Duration::from_secs(1), "it did not wait for the old leader");
    let seen = [&old, &new].map(|member| member.applied.load(Ordering::Relaxed));
    assert_eq!((seen, new.repeated.load(Ordering::Relaxed)), ([1, 1], 1));
}

/// What an operator asked for may be done although nobody says so.
#[tokio::test(start_paused = true)]
async fn a_request_of_an_operator_that_is_not_answered_is_unknown() {
    let network = MemoryNetwork::new();
    let member = Member::ready(true, Instant::now());
    Arc::clone(&member).serve_at(&network, ADDR).await;
    let client = client_of(network, vec![ADDR.to_owned()], Arc::new(TestClock::still()));
    let told = client.operate(OperatorRequest::FinalizeUpgrade).await;
    assert!(member.applied.load(Ordering::Relaxed) > 0);
    assert!(matches!(told, Err(MetadataError::Unknown(_))), "{told:?}");
    let nobody = client_of(MemoryNetwork::new(), vec![ADDR.to_owned()], Arc::new(TestClock::still()));
    let told = nobody.operate(OperatorRequest::FinalizeUpgrade).await;
    assert!(matches!(told, Err(MetadataError::Unavailable(_))), "{told:?}");
    let told = nobody.operate_again(OperatorRequest::FinalizeUpgrade, true).await;
    assert!(matches!(told, Err(MetadataError::Unknown(_))), "it may have been done before: {told:?}");
}
