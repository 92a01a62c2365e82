//! Accepts HTTP connections, and drains them when the process stops.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use cairn_protocol::net::{BoxedStream, Listen, Listener};
use cairn_protocol::rpc::Acceptor;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {addr} for {what}: {source}; free the port, or choose another with {flag}")]
pub struct ListenError {
    what: &'static str,
    flag: &'static str,
    addr: String,
    source: std::io::Error,
}

/// Binds `addr`; `what` and `flag` are for the error.
pub(super) async fn bind(
    network: &dyn Listen,
    addr: &str,
    what: &'static str,
    flag: &'static str,
) -> Result<Box<dyn Listener>, ListenError> {
    network.bind(addr).await.map_err(|source| ListenError { what, flag, addr: addr.to_owned(), source })
}

/// Time for a client to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes of buffer of one connection; also the bound on a request's head.
const BUFFER_BYTES: usize = 128 << 10;
/// Header fields in one request.
const HEADERS_MAX: usize = 200;
/// Time for requests under way to end once a shutdown has begun.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves `router` until `shutdown`; then lets requests under way end and returns. With `acceptor` only who knows the
/// cluster's secret gets as far as a request.
pub(crate) async fn serve(
    listener: Box<dyn Listener>,
    router: Router,
    acceptor: Option<Acceptor>,
    shutdown: CancellationToken,
) {
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok(stream) => {
                let (router, shutdown) = (router.clone(), shutdown.clone());
                match acceptor.clone() {
                    Some(acceptor) => connections.spawn(channel(acceptor, stream, router, shutdown)),
                    None => connections.spawn(connection(stream, TowerToHyperService::new(router), shutdown)),
                };
            }
            Err(error) => {
                // Most likely out of descriptors: connections that end free some.
                tracing::warn!(%error, "cannot accept a connection; retrying");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests did not end in time; cutting them off");
    }
}

/// Serves a connection from another process of the cluster.
async fn channel(acceptor: Acceptor, stream: BoxedStream, router: Router, shutdown: CancellationToken) {
    let (stream, channel) = match acceptor.accept(stream).await {
        Ok(accepted) => accepted,
        Err(error) => return tracing::warn!(%error, "refused a connection to the internal port"),
    };
    let router = TowerToHyperService::new(router);
    let marked = service_fn(move |mut request: Request<Incoming>| {
        channel.mark(&mut request);
        router.call(request)
    });
    connection(stream, marked, shutdown).await;
}

async fn connection<S>(stream: BoxedStream, service: S, shutdown: CancellationToken)
where
    S: Service<Request<Incoming>, Response = Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER_BYTES)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}
