//! Reports bad shards that reads found to the metadata service, so that they are repaired.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::metadata::command::{ReportFaults, ShardReport};
use cairn_protocol::metadata::{Metadata, MetadataExt};
use tokio::sync::mpsc;

/// Queues reports without ever delaying a read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct FaultReporter {
    reports: mpsc::Sender<ShardReport>,
}

/// Reports that may wait. More are dropped: the next read or scrub finds the fault again.
const QUEUE: usize = 4096;
/// Reports in one command.
const BATCH: usize = 256;
/// Time between two commands.
const INTERVAL: Duration = Duration::from_secs(1);

impl FaultReporter {
    /// Starts the reporter's task, which ends when the last clone is dropped.
    pub fn start(metadata: Arc<dyn Metadata>) -> Self {
        let (reports, queue) = mpsc::channel(QUEUE);
        tokio::spawn(send_reports(metadata, queue));
        Self { reports }
    }

    pub fn report(&self, report: ShardReport) {
        let _ = self.reports.try_send(report);
    }
}

async fn send_reports(metadata: Arc<dyn Metadata>, mut queue: mpsc::Receiver<ShardReport>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let reports: HashSet<ShardReport> = batch.drain(..).collect();
        let count = reports.len();
        match metadata.run(ReportFaults { reports: reports.into_iter().collect() }).await {
            Ok(()) => tracing::info!(shards = count, "reported bad shards for repair"),
            Err(error) => {
                tracing::warn!(shards = count, %error, "could not report bad shards; reads will find them again");
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}
