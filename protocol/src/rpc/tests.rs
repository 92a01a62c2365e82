//! A client and a server on one network in memory. No socket is opened.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_core::testing::TestClock;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

use super::{RpcAuth, RpcClient, RpcError, answer, receive};
use crate::net::testing::MemoryNetwork;
use crate::net::{Listen, Listener};

const SECRET: &str = "a secret of the cluster";
const LIMIT: Duration = Duration::from_secs(5);

/// Doubles a number and refuses zero.
async fn double(auth: Arc<RpcAuth>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let result = match receive::<u64, _>(&auth, request, 64).await {
        Ok(0) => Err("zero".to_owned()),
        Ok(n) => Ok(2 * n),
        Err(refusal) => return Ok(refusal.into_response()),
    };
    Ok(answer(&result, |_| StatusCode::CONFLICT))
}

async fn serve(listener: Box<dyn Listener>, clock: Arc<TestClock>) {
    let auth = Arc::new(RpcAuth::new(SECRET, clock));
    while let Ok(stream) = listener.accept().await {
        let auth = Arc::clone(&auth);
        let service = service_fn(move |request| double(Arc::clone(&auth), request));
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    }
}

#[tokio::test]
async fn calls_need_no_socket_and_a_missing_listener_is_a_definite_no() {
    let (network, clock) = (MemoryNetwork::new(), Arc::new(TestClock::still()));
    let listener = network.bind("10.0.0.1:9002").await.unwrap();
    let server = tokio::spawn(serve(listener, clock.clone()));
    let call = async |secret, addr, n: u64| {
        let client = RpcClient::new(secret, clock.clone(), Arc::new(network.clone()));
        client.call::<u64, u64, String>(addr, "/double", &n, LIMIT).await
    };
    assert_eq!(call(SECRET, "10.0.0.1:9002", 21).await, Ok(Ok(42)));
    assert_eq!(call(SECRET, "10.0.0.1:9002", 0).await, Ok(Err("zero".to_owned())));
    let stranger = call("a guess", "10.0.0.1:9002", 21).await.unwrap_err();
    assert!(matches!(stranger, RpcError::Refused { status: 403, .. }), "{stranger}");
    let unconnected = call(SECRET, "10.0.0.2:9002", 21).await.unwrap_err();
    assert!(matches!(unconnected, RpcError::NotConnected { .. }) && unconnected.is_definite_no(), "{unconnected}");
    server.abort();
}
