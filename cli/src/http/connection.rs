//! A keep-alive connection, opened on demand.

use std::io;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Endpoint, RequestBody};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Nothing was sent: the connection was refused or the handshake failed.
    #[error("cannot connect to {endpoint}: {cause}")]
    Connect { endpoint: Endpoint, cause: io::Error },
    /// The connection broke after the request may have been sent: the outcome is unknown.
    #[error("the connection to {endpoint} broke: {cause}")]
    Broken { endpoint: Endpoint, cause: hyper::Error },
}

/// One connection to one endpoint, with one request at a time. A broken connection is replaced by the next
/// request; no request is sent twice.
#[derive(Debug)]
pub struct Connection {
    endpoint: Endpoint,
    sender: Option<SendRequest<RequestBody>>,
}

impl Connection {
    /// Connects on the first request.
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, sender: None }
    }

    /// The endpoint it connects to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends `request`, whose URI is relative and which has a `host` header. The body of the answer has to be read to
    /// its end before the connection takes the next request; otherwise the next request opens another connection.
    pub async fn send(&mut self, request: Request<RequestBody>) -> Result<Response<Incoming>, ConnectionError> {
        // Taken out during the request: a caller that is cancelled drops the connection too.
        let mut sender = match self.take_ready().await {
            Some(sender) => sender,
            None => self.connect().await?,
        };
        let answer = sender.send_request(request).await.map_err(|cause| self.broken(cause))?;
        self.sender = Some(sender);
        Ok(answer)
    }

    /// Closes the connection; the next request opens another.
    pub fn close(&mut self) {
        self.sender = None;
    }

    /// The error of a connection that broke while the body of an answer was read.
    pub fn broken(&self, cause: hyper::Error) -> ConnectionError {
        ConnectionError::Broken { endpoint: self.endpoint.clone(), cause }
    }

    /// The open connection, unless the server has closed it.
    async fn take_ready(&mut self) -> Option<SendRequest<RequestBody>> {
        let mut sender = self.sender.take()?;
        sender.ready().await.is_ok().then_some(sender)
    }

    #[expect(clippy::disallowed_methods, reason = "the CLI is a client of one endpoint; no test drives its network")]
    async fn connect(&self) -> Result<SendRequest<RequestBody>, ConnectionError> {
        let refused = |cause| ConnectionError::Connect { endpoint: self.endpoint.clone(), cause };
        let stream = TcpStream::connect((self.endpoint.host(), self.endpoint.port())).await.map_err(refused)?;
        stream.set_nodelay(true).map_err(refused)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| self.broken(e))?;
        tokio::spawn(connection);
        sender.ready().await.map_err(|e| self.broken(e))?;
        Ok(sender)
    }
}
