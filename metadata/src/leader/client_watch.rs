//! Whether clients are at work, so that repair gives way to them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_protocol::metadata::{Command, Query};

/// Time after the last request of a client for which they still count as at work.
const LINGER: Duration = Duration::from_secs(2);

/// When the last request of a client came to this leader.
#[derive(Debug, Default)]
pub(crate) struct ClientWatch {
    /// Milliseconds of the monotonic clock, and one, so that zero means never.
    last_ms: AtomicU64,
}

impl ClientWatch {
    /// A command has come.
    pub(crate) fn saw_command(&self, command: &Command, now: Duration) {
        if matches!(command, Command::CommitObject(_) | Command::CommitPart(_) | Command::DeleteObject(_)) {
            self.note(now);
        }
    }

    /// A query has come.
    pub(crate) fn saw_query(&self, query: &Query, now: Duration) {
        if matches!(query, Query::GetObject(_) | Query::LocateExtents(_) | Query::ListObjects(_)) {
            self.note(now);
        }
    }

    fn note(&self, now: Duration) {
        self.last_ms.store(now.as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// Whether a client has read or written objects a moment ago.
    pub(crate) fn are_at_work(&self, now: Duration) -> bool {
        let last = self.last_ms.load(Ordering::Relaxed);
        last > 0 && now.saturating_sub(Duration::from_millis(last - 1)) < LINGER
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::Epoch;
    use cairn_core::name::{BucketName, ObjectKey};
    use cairn_protocol::metadata::query::{GetClusterMap, GetObject};

    use super::*;

    #[test]
    fn only_requests_for_objects_count_and_only_for_a_moment() {
        let (watch, now) = (ClientWatch::default(), Duration::ZERO);
        assert!(!watch.are_at_work(now));
        watch.saw_query(&GetClusterMap { known: Epoch(0) }.into(), now);
        assert!(!watch.are_at_work(now), "a gateway without clients");
        let (bucket, key) = (BucketName::new("bucket").unwrap(), ObjectKey::new("key").unwrap());
        watch.saw_query(&GetObject { bucket, key, part: None, range: None, extents: 0, version: None }.into(), now);
        assert!(watch.are_at_work(now + LINGER / 2));
        assert!(!watch.are_at_work(now + LINGER));
    }
}
