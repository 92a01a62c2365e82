//! Requests that no HTTP library would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long an answer may take.
const LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawAnswer {
    /// `None` if the connection was closed without an answer.
    pub status: Option<u16>,
    pub text: String,
}

impl RawAnswer {
    /// The S3 error code, empty if the answer has none.
    pub fn code(&self) -> &str {
        let after = self.text.split_once("<Code>").map_or("", |(_, after)| after);
        after.split_once("</Code>").map_or("", |(code, _)| code)
    }
}

/// Sends `bytes` to `port` on this machine, and reads until the server closes the connection. A whole request asks for
/// that with `connection: close`.
pub async fn exchange(port: u16, bytes: &[u8]) -> RawAnswer {
    talk(port, bytes, false).await
}

/// As [`exchange`], but closes the sending side after `bytes`, like a client that goes away in the middle.
pub async fn exchange_and_leave(port: u16, bytes: &[u8]) -> RawAnswer {
    talk(port, bytes, true).await
}

#[expect(clippy::disallowed_methods, reason = "sends bytes that no client would")]
async fn talk(port: u16, bytes: &[u8], leave: bool) -> RawAnswer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("a connection");
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(bytes).await;
    if leave {
        let _ = stream.shutdown().await;
    }
    let mut answer = Vec::new();
    // A reset after the answer is as good an end as a close.
    let _ = timeout(LIMIT, stream.read_to_end(&mut answer)).await.expect("the server closes the connection in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).and_then(|status| status.parse().ok());
    RawAnswer { status, text }
}
