//! Clients and servers of one cluster, for tests.

use std::sync::Arc;

use cairn_core::testing::{CountingRandom, TestClock};
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::task::JoinSet;
use tower_service::Service;

use super::channel::Acceptor;
use super::client::{Identity, RpcClient};
use super::roles::Roles;
use crate::net::Listener;
use crate::net::testing::LoopbackNetwork;

/// A client over real sockets with these roles.
pub fn client_of(secret: &str, roles: Roles) -> RpcClient {
    let identity = Identity { secret: secret.to_owned(), roles };
    RpcClient::new(
        &identity,
        Arc::new(TestClock::real()),
        Arc::new(CountingRandom::default()),
        Arc::new(LoopbackNetwork),
    )
}

/// Serves `service` to whoever knows the secret. Dropping this ends its connections.
pub async fn serve<S, B>(listener: Box<dyn Listener>, secret: &str, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let acceptor = Acceptor::new(secret, Arc::new(CountingRandom::default()));
    let mut connections = JoinSet::new();
    while let Ok(stream) = listener.accept().await {
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(service.clone()));
        connections.spawn(async move {
            let Ok((stream, channel)) = acceptor.accept(stream).await else { return };
            let marked = service_fn(move |mut request: Request<Incoming>| {
                channel.mark(&mut request);
                hyper::service::Service::call(&service, request)
            });
            // A test that breaks a connection looks at what its own end is told.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), marked).await;
        });
    }
}
