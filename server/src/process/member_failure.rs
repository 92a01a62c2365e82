//! What a process does when its metadata member's store fails.

use std::time::Duration;

/// Time between two checks whether the metadata member's store has failed.
const POLL: Duration = Duration::from_millis(500);
/// Time between two log lines about a failed member.
const LOG_INTERVAL: Duration = Duration::from_secs(30);

/// Returns why the member of this process has stopped taking part. If the process also has disks that use another
/// metadata member, it never returns: the disks go on serving, and the log repeats that the member is down.
pub(super) async fn member_failed(member: Option<cairn_metadata::Handle>, disks_go_on: bool) -> String {
    let Some(member) = member else { return std::future::pending().await };
    let reason = loop {
        match member.failure() {
            Some(reason) => break reason,
            None => tokio::time::sleep(POLL).await,
        }
    };
    if !disks_go_on {
        return reason;
    }
    loop {
        tracing::error!(
            reason,
            "the metadata member has failed and takes no part; this process's disks go on serving. Check the disk of the \
             metadata and its free space, then restart the process"
        );
        tokio::time::sleep(LOG_INTERVAL).await;
    }
}
