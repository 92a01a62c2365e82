//! Messages that this member cannot read.

use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::sync::IgnorePoison;
use cairn_protocol::rpc::Refusal;
use http::StatusCode;

/// Pause between two lines in the log: a leader repeats its entries several times a second.
const PAUSE: Duration = Duration::from_secs(10);

/// Says in the log that messages cannot be read. The sender's release uses what this one does not know: the member does not
/// take part in what it cannot read, and the others go on without it.
#[derive(Debug, Default)]
pub(super) struct Unread {
    said_at: Mutex<Option<Duration>>,
}

impl Unread {
    /// A message for `path` was refused.
    pub(super) fn note(&self, now: Duration, path: &str, refusal: &Refusal) {
        if refusal.status == StatusCode::BAD_REQUEST && self.is_due(now) {
            tracing::error!(
                path,
                detail = refusal.detail,
                "this metadata member cannot read a message of another process, which runs another release: it takes no part \
                 in what it cannot read; compare the releases with `cairn cluster upgrade status`"
            );
        }
    }

    /// Entries were refused, because they raise the feature level to one that this release does not support.
    pub(super) fn note_level(&self, now: Duration, refusal: &str) {
        if self.is_due(now) {
            tracing::error!("this metadata member takes no part: {refusal}");
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        let mut said_at: MutexGuard<'_, _> = self.said_at.lock().ignore_poison();
        let due = said_at.is_none_or(|said| now.saturating_sub(said) >= PAUSE);
        if due {
            *said_at = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_once_in_a_while() {
        let unread = Unread::default();
        let due: Vec<u64> = (0..30).filter(|second| unread.is_due(Duration::from_secs(*second))).collect();
        assert_eq!(due, [0, 10, 20]);
    }
}
