//! A client and a server on one network in memory. No socket is opened.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::testing::{CountingRandom, TestClock};
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::{Acceptor, Channel, Identity, Roles, RpcClient, RpcError, answer, receive};
use crate::net::testing::MemoryNetwork;
use crate::net::{BoxedStream, Listen, Listener};

const SECRET: &str = "a secret of the cluster";
const LIMIT: Duration = Duration::from_secs(5);
const ADDR: &str = "10.0.0.1:9002";

/// Doubles a number and refuses zero. Not for gateways.
async fn double(channel: &Channel, mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    channel.mark(&mut request);
    let result = match receive::<u64, _>(request, Roles::STORAGE_NODE, 64).await {
        Ok(0) => Err("zero".to_owned()),
        Ok(n) => Ok(2 * n),
        Err(refusal) => return Ok(refusal.into_response()),
    };
    Ok(answer(&result, |_| StatusCode::CONFLICT))
}

async fn connection(acceptor: Acceptor, stream: BoxedStream) {
    let Ok((stream, channel)) = acceptor.accept(stream).await else { return };
    let service = service_fn(|request| double(&channel, request));
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn serve(listener: Box<dyn Listener>) {
    let acceptor = Acceptor::new(SECRET, Arc::new(CountingRandom::new(1)));
    while let Ok(stream) = listener.accept().await {
        tokio::spawn(connection(acceptor.clone(), stream));
    }
}

fn client(network: &MemoryNetwork, secret: &str, roles: Roles, clock: TestClock) -> RpcClient {
    let identity = Identity { secret: secret.to_owned(), roles };
    RpcClient::new(&identity, Arc::new(clock), Arc::new(CountingRandom::new(2)), Arc::new(network.clone()))
}

async fn call(client: &RpcClient, addr: &str, n: u64) -> Result<Result<u64, String>, RpcError> {
    client.call::<u64, u64, String>(addr, "/double", &n, LIMIT).await
}

#[tokio::test]
async fn calls_need_no_socket_and_a_missing_listener_is_a_definite_no() {
    let network = MemoryNetwork::new();
    let server = tokio::spawn(serve(network.bind(ADDR).await.unwrap()));
    let client = client(&network, SECRET, Roles::STORAGE_NODE, TestClock::still());
    assert_eq!(call(&client, ADDR, 21).await, Ok(Ok(42)));
    assert_eq!(call(&client, ADDR, 0).await, Ok(Err("zero".to_owned())));
    assert_eq!(call(&client, ADDR, 4).await, Ok(Ok(8)), "after a refusal on the same connection");
    let unconnected = call(&client, "10.0.0.2:9002", 21).await.unwrap_err();
    assert!(matches!(unconnected, RpcError::NotConnected { .. }) && unconnected.is_definite_no(), "{unconnected}");
    server.abort();
}

#[tokio::test]
async fn strangers_and_callers_without_the_right_are_told_no() {
    let network = MemoryNetwork::new();
    let server = tokio::spawn(serve(network.bind(ADDR).await.unwrap()));
    for secret in ["a guess", ""] {
        let stranger = client(&network, secret, Roles::ANY, TestClock::still());
        let error = call(&stranger, ADDR, 21).await.unwrap_err();
        assert!(matches!(error, RpcError::NotConnected { .. }) && error.to_string().contains("secret"), "{error}");
    }
    let gateway = client(&network, SECRET, Roles::GATEWAY | Roles::ADMIN, TestClock::still());
    let error = call(&gateway, ADDR, 21).await.unwrap_err();
    assert!(matches!(error, RpcError::Refused { status: 403, .. }) && error.is_definite_no(), "{error}");
    assert!(error.to_string().contains("is for storage node; the caller is gateway, admin"), "{error}");
    server.abort();
}

#[tokio::test]
async fn no_clock_decides_who_is_accepted() {
    let network = MemoryNetwork::new();
    let server = tokio::spawn(serve(network.bind(ADDR).await.unwrap()));
    for wall_ms in [0, 1, u64::MAX >> 12] {
        let clock = TestClock::still();
        clock.set_wall_ms(wall_ms);
        let client = client(&network, SECRET, Roles::STORAGE_NODE, clock);
        assert_eq!(call(&client, ADDR, 21).await, Ok(Ok(42)), "{wall_ms}");
    }
    server.abort();
}

#[tokio::test]
async fn a_peer_that_has_restarted_is_called_again_over_a_new_connection() {
    let network = MemoryNetwork::new();
    let client = client(&network, SECRET, Roles::STORAGE_NODE, TestClock::still());
    for _ in 0..3 {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let listener = network.bind(ADDR).await.unwrap();
        let server = tokio::spawn(async move {
            let acceptor = Acceptor::new(SECRET, Arc::new(CountingRandom::new(1)));
            let stream = listener.accept().await.unwrap();
            tokio::select! { () = connection(acceptor, stream) => {}, _ = stopped => {} }
        });
        assert_eq!(call(&client, ADDR, 1).await, Ok(Ok(2)));
        assert_eq!(call(&client, ADDR, 2).await, Ok(Ok(4)));
        stop.send(()).unwrap();
        server.await.unwrap();
        // The connection's task learns that its peer is gone.
        tokio::task::yield_now().await;
    }
}
