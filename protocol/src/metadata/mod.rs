//! The metadata service as the other roles see it: commands change state, queries read it, signals keep leases alive.
//!
//! Messages repeat fields such as bucket and key instead of sharing a struct: a struct in a struct is encoded as a nested
//! array or map, so sharing would change the encoding.

pub mod command;
pub mod content;
mod error;
mod operator_request;
pub mod query;
pub mod settings;
mod signal;

use async_trait::async_trait;

pub use command::{Command, CommandBody, Outcome};
pub use content::{ExtentRun, LocatedExtent, ObjectVersion, PlacedExtent, PlacedRun, StoredChecksum};
pub use error::{MetadataError, Rejection};
pub use operator_request::{MemberAddress, OperatorRequest};
pub use query::{Answer, Query, QueryBody};
pub use signal::{Signal, SignalAnswer};

/// The metadata service. Calls reach its leader, wherever it is.
#[warn(missing_docs)]
#[async_trait]
pub trait Metadata: Send + Sync + 'static {
    /// Proposes a command; returns once it is committed, flushed on a majority, and applied (I1).
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError>;

    /// A linearizable read: sees everything that was acknowledged before the call (I19).
    async fn query(&self, query: Query) -> Result<Answer, MetadataError>;

    /// Sends the leader something that is not part of the replicated state.
    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError>;
}

/// The metadata service as its operator sees it.
#[warn(missing_docs)]
#[async_trait]
pub trait OperatedMetadata: Metadata {
    /// Asks the leader to do it. Returns once it is done.
    async fn operate(&self, request: OperatorRequest) -> Result<(), MetadataError>;
}

/// Typed calls on top of [`Metadata`].
#[warn(missing_docs)]
#[async_trait]
pub trait MetadataExt: Metadata {
    /// Proposes `command` and unpacks its own outcome.
    async fn run<C: CommandBody>(&self, command: C) -> Result<C::Outcome, MetadataError> {
        let outcome = self.execute(command.into()).await?;
        C::unpack(outcome).ok_or(MetadataError::Protocol("the outcome belongs to another command".into()))
    }

    /// Asks `query` and unpacks its own answer.
    async fn ask<Q: QueryBody>(&self, query: Q) -> Result<Q::Answer, MetadataError> {
        let answer = self.query(query.into()).await?;
        Q::unpack(answer).ok_or(MetadataError::Protocol("the answer belongs to another query".into()))
    }
}

impl<T: Metadata + ?Sized> MetadataExt for T {}
