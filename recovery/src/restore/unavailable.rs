//! The metadata service while there is none.

use async_trait::async_trait;
use cairn_protocol::metadata::{Answer, Command, Metadata, MetadataError, Outcome, Query, Signal, SignalAnswer};

/// Answers no call. A storage node and a reader need a metadata service, and during a restore there is none.
pub(super) struct NoMetadata;

fn unavailable<T>() -> Result<T, MetadataError> {
    Err(MetadataError::Unavailable("the metadata is being restored".to_owned()))
}

#[async_trait]
impl Metadata for NoMetadata {
    async fn execute(&self, _: Command) -> Result<Outcome, MetadataError> {
        unavailable()
    }

    async fn query(&self, _: Query) -> Result<Answer, MetadataError> {
        unavailable()
    }

    async fn signal(&self, _: Signal) -> Result<SignalAnswer, MetadataError> {
        unavailable()
    }
}
