//! Connects hyper's client to the network that was given.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tower_service::Service;

use crate::net::{BoxedStream, Connect, Stream};

/// Opens each connection that hyper's pool asks for through a [`Connect`].
#[derive(Clone)]
pub(super) struct Connector(Arc<dyn Connect>);

impl Connector {
    pub(super) fn new(network: Arc<dyn Connect>) -> Self {
        Self(network)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<BoxedStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            let addr = uri.authority().ok_or(io::ErrorKind::InvalidInput)?;
            network.connect(addr.as_str()).await.map(TokioIo::new)
        })
    }
}

impl Connection for Box<dyn Stream> {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}
