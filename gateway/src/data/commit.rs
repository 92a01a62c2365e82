//! The commit of a written body.

use std::future::Future;
use std::sync::Arc;

use cairn_core::id::SessionId;
use cairn_core::name::BucketName;
use cairn_protocol::metadata::settings::BucketRecord;
use cairn_protocol::metadata::{CommandBody, MetadataError, MetadataExt, PlacedRun, Rejection};

use super::path::DataPath;

impl DataPath {
    /// Runs the command that commits a body, which was written under `session` and lies in `placed` (`None` if it is
    /// empty). After a definite *no* its shards are discarded. After an unknown outcome they are kept, because the
    /// commit may stand. A session that the metadata service has ended ends here too, and another is opened.
    ///
    /// The command runs in a task of its own: a caller that is dropped, because its client went away, must not leave
    /// the outcome open.
    pub async fn commit<C: CommandBody + 'static>(
        &self,
        command: C,
        session: SessionId,
        placed: Option<PlacedRun>,
    ) -> Result<C::Outcome, MetadataError>
    where
        C::Outcome: 'static,
    {
        let metadata = Arc::clone(&self.metadata);
        self.settle(async move { metadata.run(command).await }, session, placed).await
    }

    /// As [`DataPath::commit`], for a command that is decided by the settings of `bucket`: see [`crate::buckets::BucketRecords::run`]. While
    /// it is decided again the shards stay where they are; they are discarded when it is given up.
    pub async fn commit_in<C: CommandBody + 'static>(
        &self,
        bucket: BucketName,
        decide: impl FnMut(&BucketRecord) -> C + Send + 'static,
        session: SessionId,
        placed: Option<PlacedRun>,
    ) -> Result<C::Outcome, MetadataError>
    where
        C::Outcome: 'static,
    {
        let buckets = Arc::clone(&self.buckets);
        self.settle(async move { buckets.run(&bucket, decide).await }, session, placed).await
    }

    async fn settle<T: Send + 'static>(
        &self,
        commit: impl Future<Output = Result<T, MetadataError>> + Send + 'static,
        session: SessionId,
        placed: Option<PlacedRun>,
    ) -> Result<T, MetadataError> {
        let path = self.clone();
        let task = tokio::spawn(async move {
            let outcome = commit.await;
            if let Err(error) = &outcome {
                if let MetadataError::Rejected(Rejection::SessionEnded(_)) = error {
                    path.session.ended(session);
                }
                if let Some(placed) = placed.filter(|_| error.is_definite_no()) {
                    path.discard(&placed);
                }
            }
            outcome
        });
        task.await.unwrap_or_else(|error| Err(MetadataError::Unknown(error.to_string())))
    }
}
