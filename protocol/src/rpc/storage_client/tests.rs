//! What the caller is told of a shard that streams to a node which refuses, says nothing, or dies. Time and network are
//! simulated.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cairn_core::id::{ExtentId, ProfileId, SessionId};
use cairn_core::testing::{CountingRandom, TestClock};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::{Notify, mpsc};

use super::*;
use crate::net::Listen;
use crate::net::testing::MemoryNetwork;
use crate::rpc::{Acceptor, Identity, Roles, answer, encode};

const SECRET: &str = "a secret of the cluster";
const ADDR: &str = "10.0.0.1:9002";
const CELLS: u32 = 40;

/// What a node does with a shard.
#[derive(Debug, Clone, Copy)]
enum Behaviour {
    /// Stores it.
    Stores,
    /// Says no at once.
    Refuses,
    /// Never answers.
    Silent,
    /// Accepts, and fails.
    Fails,
    /// Accepts, and ends with an answer that says nothing.
    EndsEmpty,
    /// Accepts, and is gone once some of it is there.
    Dies,
}

type Answer = Response<BoxBody<Bytes, std::io::Error>>;

/// The body of an answer whose head is sent first.
struct Later(mpsc::Receiver<Bytes>);

impl Body for Later {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

fn broken() -> StorageError {
    StorageError::new(StorageErrorKind::Failed, disk(), "injected")
}

fn disk() -> DiskId {
    DiskId::from_bytes([7; 16])
}

/// What the node says after it has accepted; `None` if it dies.
async fn outcome(behaviour: Behaviour, mut body: Incoming) -> Option<Bytes> {
    while let Some(Ok(_)) = body.frame().await {
        if matches!(behaviour, Behaviour::Dies) {
            break;
        }
    }
    match behaviour {
        Behaviour::Dies => None,
        Behaviour::EndsEmpty => Some(Bytes::new()),
        Behaviour::Fails => Some(encode(&Err::<(), _>(broken()))),
        _ => Some(encode(&Ok::<(), StorageError>(()))),
    }
}

async fn handle(behaviour: Behaviour, dead: Arc<Notify>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    assert_eq!(request.uri().path(), StoragePath::OPEN);
    match behaviour {
        Behaviour::Silent => std::future::pending().await,
        Behaviour::Refuses => {
            let full = StorageError::new(StorageErrorKind::Full, disk(), "injected");
            let answer: Response<Full<Bytes>> = answer(&Err::<(), _>(full), |_| StatusCode::INSUFFICIENT_STORAGE);
            return Ok(answer.map(|body| body.map_err(|never| match never {}).boxed()));
        }
        _ => {}
    }
    let (frames, sent) = mpsc::channel(1);
    tokio::spawn(async move {
        if let Some(bytes) = outcome(behaviour, request.into_body()).await {
            let _ = frames.send(bytes).await;
        } else {
            dead.notify_one();
            // Until the connection is gone the answer does not end.
            frames.closed().await;
        }
    });
    Ok(Response::new(Later(sent).boxed()))
}

/// A client of one node that behaves so.
async fn node(behaviour: Behaviour) -> HttpStorageNode {
    let network = MemoryNetwork::new();
    let listener = network.bind(ADDR).await.unwrap();
    tokio::spawn(async move {
        let acceptor = Acceptor::new(SECRET, Arc::new(CountingRandom::new(1)));
        while let Ok(stream) = listener.accept().await {
            let Ok((stream, _)) = acceptor.accept(stream).await else { continue };
            let dead = Arc::new(Notify::new());
            let died = Arc::clone(&dead);
            let service = service_fn(move |request| handle(behaviour, Arc::clone(&dead), request));
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async move {
                tokio::select! { _ = connection => {}, () = died.notified() => {} }
            });
        }
    });
    let identity = Identity { secret: SECRET.to_owned(), roles: Roles::GATEWAY };
    let clock = Arc::new(TestClock::still());
    HttpStorageNode::new(RpcClient::new(&identity, clock, Arc::new(CountingRandom::new(2)), Arc::new(network)), ADDR)
}

fn shard() -> (ShardHeader, Vec<Cell>) {
    let id = ShardId { extent: ExtentId::new(SessionId(1), 1), index: 0 };
    let cell_bytes = 16 << 10;
    let length = u64::from(CELLS * cell_bytes);
    let geometry = Geometry { data_shards: 1, parity_shards: 0, cell_bytes, length };
    let data = Bytes::from(vec![5; cell_bytes as usize]);
    let cells = (0..CELLS).map(|stripe| Cell::new(data.clone(), id.cell(stripe))).collect();
    (ShardHeader { id, profile: ProfileId(1), geometry, descriptor: Bytes::new() }, cells)
}

/// Whether a node that behaves so takes the shard: the errors of opening it and of what follows.
async fn check(behaviour: Behaviour, expected: Result<Result<(), StorageErrorKind>, StorageErrorKind>) {
    let (header, cells) = shard();
    let node = node(behaviour).await;
    let followed = match node.open_shard(disk(), header).await {
        Ok(mut writer) => Ok(async {
            for cell in cells {
                writer.append(vec![cell]).await?;
            }
            writer.finish().await
        }
        .await),
        Err(error) => Err(error),
    };
    let kinds = followed.map(|rest| rest.map_err(|error| error.kind)).map_err(|error| error.kind);
    assert_eq!(kinds, expected, "{behaviour:?}");
}

#[tokio::test(start_paused = true)]
async fn a_node_is_asked_before_it_gets_bytes() {
    check(Behaviour::Stores, Ok(Ok(()))).await;
    check(Behaviour::Refuses, Err(StorageErrorKind::Full)).await;
    check(Behaviour::Silent, Err(StorageErrorKind::Unreachable)).await;
}

/// A head that says yes is no outcome (I1, I40).
#[tokio::test(start_paused = true)]
async fn a_shard_that_was_accepted_is_not_stored_until_the_node_says_so() {
    check(Behaviour::Fails, Ok(Err(StorageErrorKind::Failed))).await;
    check(Behaviour::EndsEmpty, Ok(Err(StorageErrorKind::Unreachable))).await;
    check(Behaviour::Dies, Ok(Err(StorageErrorKind::Unreachable))).await;
}
