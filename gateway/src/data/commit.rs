//! The commit of a written body.

use cairn_core::id::SessionId;
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
        let path = self.clone();
        let task = tokio::spawn(async move {
            let outcome = path.metadata.run(command).await;
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
