//! Polling until something is true or a deadline passes.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// Pause between two polls.
const INTERVAL: Duration = Duration::from_millis(25);

/// Asks `question` until it is answered, and panics with the last "not yet" after `limit`.
pub async fn eventually<T>(what: &str, limit: Duration, mut question: impl AsyncFnMut() -> Result<T, String>) -> T {
    let mut last = String::from("never asked");
    let answer = timeout(limit, async {
        loop {
            match question().await {
                Ok(answer) => return answer,
                Err(not_yet) => last = not_yet,
            }
            sleep(INTERVAL).await;
        }
    })
    .await;
    answer.unwrap_or_else(|_| panic!("{what}: not within {limit:?}; last: {last}"))
}

/// Asks `question` until it is true, and panics after `limit`.
pub async fn wait_until(what: &str, limit: Duration, mut question: impl AsyncFnMut() -> bool) {
    eventually(what, limit, async || if question().await { Ok(()) } else { Err("not yet".to_owned()) }).await;
}
