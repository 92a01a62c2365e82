//! The metadata service over HTTP.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use minicbor::{Decode, Encode};

use super::RpcClient;
use super::metadata_message::{MetadataFailure, MetadataPath};
use crate::metadata::{Answer, Command, Metadata, MetadataError, Outcome, Query, Signal, SignalAnswer};

/// Time for one call to one member.
const CALL_LIMIT: Duration = Duration::from_secs(15);
/// Rounds over all members before giving up, and the pause between them: together longer than an election.
const ROUNDS_MAX: u32 = 20;
const ROUND_PAUSE: Duration = Duration::from_millis(250);

/// Finds the leader among the members and talks to it.
pub struct HttpMetadata {
    rpc: RpcClient,
    members: Vec<String>,
    /// The member that answered last.
    leader: Mutex<Option<String>>,
}

/// What one member made of a call.
enum Attempt<A> {
    Done(Result<A, MetadataError>),
    /// It did nothing; who leads, if it knows, and what it said.
    Elsewhere(Option<String>, String),
}

impl HttpMetadata {
    /// The service whose members listen on `members` (`host:port`).
    pub fn new(rpc: RpcClient, members: Vec<String>) -> Self {
        Self { rpc, members, leader: Mutex::new(None) }
    }

    fn leader(&self) -> Option<String> {
        self.leader.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_leader(&self, leader: Option<String>) {
        *self.leader.lock().unwrap_or_else(PoisonError::into_inner) = leader;
    }

    /// Asks members until one leads. `repeatable` says whether a call whose answer was lost may be sent again.
    async fn call<M, A>(&self, path: &str, message: &M, repeatable: bool) -> Result<A, MetadataError>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()> + Send,
    {
        let mut said = "no member is configured".to_owned();
        for round in 0..ROUNDS_MAX {
            if round > 0 {
                tokio::time::sleep(ROUND_PAUSE).await;
            }
            // The known leader first, then everybody; a hint sends us back to the front once in a round.
            let mut candidates: Vec<String> = self.leader().into_iter().chain(self.members.iter().cloned()).collect();
            candidates.reverse();
            let mut hinted = false;
            while let Some(member) = candidates.pop() {
                match self.attempt(&member, path, message, repeatable).await {
                    Attempt::Done(result) => {
                        self.set_leader(Some(member));
                        return result;
                    }
                    Attempt::Elsewhere(hint, detail) => {
                        said = detail;
                        self.set_leader(None);
                        if let Some(hint) = hint.filter(|hint| !hinted && *hint != member) {
                            hinted = true;
                            candidates.push(hint);
                        }
                    }
                }
            }
        }
        Err(MetadataError::Unavailable(said))
    }

    async fn attempt<M, A>(&self, member: &str, path: &str, message: &M, repeatable: bool) -> Attempt<A>
    where
        M: Encode<()> + Sync,
        A: for<'b> Decode<'b, ()>,
    {
        match self.rpc.call(member, path, message, CALL_LIMIT).await {
            Ok(Ok(answer)) => Attempt::Done(Ok(answer)),
            Ok(Err(MetadataFailure::NotLeader(hint))) => Attempt::Elsewhere(hint, format!("{member} does not lead")),
            Ok(Err(MetadataFailure::Unavailable(detail))) => Attempt::Elsewhere(None, format!("{member}: {detail}")),
            Ok(Err(failure)) => Attempt::Done(Err(failure.into())),
            Err(error) if error.is_definite_no() => Attempt::Elsewhere(None, error.to_string()),
            Err(error) if repeatable => Attempt::Elsewhere(None, error.to_string()),
            Err(error) => Attempt::Done(Err(MetadataError::Unknown(error.to_string()))),
        }
    }
}

#[async_trait]
impl Metadata for HttpMetadata {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        self.call(MetadataPath::EXECUTE, &command, false).await
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.call(MetadataPath::QUERY, &query, true).await
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        self.call(MetadataPath::SIGNAL, &signal, true).await
    }
}
