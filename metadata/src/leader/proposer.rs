//! Group commit: commands that arrive while a proposal is under way share the next one, so that one sync and one
//! transaction serve all of them and throughput grows with concurrency.

use std::sync::Arc;
use std::time::Duration;

use cairn_core::clock::Clock;
use cairn_core::id::COMMANDS_PER_ENTRY_MAX;
use cairn_protocol::metadata::{Command, Outcome, Rejection};
use cairn_protocol::rpc::CallTag;
use openraft::error::{ClientWriteError, RaftError};
use tokio::sync::{mpsc, oneshot};

use super::error::LeaderError;
use super::witness::Witness;
use crate::raft::Raft;
use crate::raft::message::COMMAND_BYTES_MAX;
use crate::raft::proposal::{Change, Proposal};
use crate::state::stored::StoredCommand;

/// Commands that wait for a proposal; beyond that their senders wait.
const QUEUE_MAX: usize = 4096;
/// Encoded bytes of the commands of one proposal. A single larger command still goes alone.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// Time for a command to be committed and applied; a leader that has lost its majority would keep it for ever.
const COMMIT_LIMIT: Duration = Duration::from_secs(15);

const TOO_LATE: LeaderError = LeaderError::TooLate { what: "committed", limit: COMMIT_LIMIT };

/// See [`crate::raft::proposal::Applied`].
type Outcomes = Vec<Option<Result<Outcome, Rejection>>>;

type Answer = oneshot::Sender<Result<Outcome, LeaderError>>;

struct Queued {
    command: StoredCommand,
    /// Its encoded length, computed by the caller: the one task that makes proposals only adds lengths up.
    bytes: usize,
    tag: Option<CallTag>,
    answer: Answer,
}

/// Where commands are handed in. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Proposer {
    queue: mpsc::Sender<Queued>,
}

impl Proposer {
    /// Starts the task that proposes; it ends when all proposers are dropped.
    pub(crate) fn spawn(raft: Raft, clock: Arc<dyn Clock>) -> Self {
        let (queue, commands) = mpsc::channel(QUEUE_MAX);
        tokio::spawn(run(raft, clock, commands));
        Self { queue }
    }

    /// Hands in one command and waits until it is applied.
    pub(crate) async fn propose(&self, command: Command, tag: Option<CallTag>) -> Result<Outcome, LeaderError> {
        let (answer, answered) = oneshot::channel();
        let command = StoredCommand::from(command);
        let bytes = command.encoded_bytes();
        if bytes > COMMAND_BYTES_MAX {
            // In the log it would fit into no message to the other members, and nothing after it would reach them either.
            let limit = format!("a command has at most {COMMAND_BYTES_MAX} bytes, this one {bytes}");
            return Err(LeaderError::Rejected(Rejection::LimitReached(limit)));
        }
        self.queue.send(Queued { command, bytes, tag, answer }).await.map_err(|_| LeaderError::Stopping)?;
        match tokio::time::timeout(COMMIT_LIMIT, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(LeaderError::TaskEnded("the proposer has ended".to_owned())),
            Err(_) => Err(TOO_LATE),
        }
    }
}

async fn run(raft: Raft, clock: Arc<dyn Clock>, mut queue: mpsc::Receiver<Queued>) {
    let mut held: Option<Queued> = None;
    loop {
        let first = match held.take() {
            Some(held) => held,
            None => match queue.recv().await {
                Some(first) => first,
                None => return,
            },
        };
        let mut bytes = first.bytes;
        let (mut commands, mut tags, mut answers) = (vec![first.command], vec![first.tag], vec![first.answer]);
        while commands.len() < COMMANDS_PER_ENTRY_MAX
            && let Ok(next) = queue.try_recv()
        {
            bytes += next.bytes;
            if bytes > BATCH_BYTES_MAX {
                held = Some(next);
                break;
            }
            commands.push(next.command);
            tags.push(next.tag);
            answers.push(next.answer);
        }
        let tags = tags.iter().any(Option::is_some).then_some(tags);
        let proposal = Proposal { proposed_at_ms: clock.now_ms(), change: Change::Batch(commands, tags) };
        // A leader that was replaced through a snapshot never learns the outcome of its entry.
        let written = tokio::time::timeout(COMMIT_LIMIT, write(&raft, proposal)).await;
        let late = |_| Err(TOO_LATE);
        deliver(answers, written.unwrap_or_else(late));
    }
}

fn deliver(answers: Vec<Answer>, written: Result<Outcomes, LeaderError>) {
    match written {
        Ok(outcomes) => {
            for (answer, outcome) in answers.into_iter().zip(outcomes) {
                let result = match outcome {
                    Some(outcome) => outcome.map_err(LeaderError::Rejected),
                    None => Err(LeaderError::Forgotten),
                };
                // A caller that no longer waits was cancelled; the command is applied anyway.
                let _ = answer.send(result);
            }
        }
        Err(failure) => {
            for answer in answers {
                let _ = answer.send(Err(failure.clone()));
            }
        }
    }
}

/// Proposes a change that is no command of a client.
pub(crate) async fn change(raft: &Raft, clock: &dyn Clock, change: Change) -> Result<(), LeaderError> {
    let proposal = Proposal { proposed_at_ms: clock.now_ms(), change };
    let written = tokio::time::timeout(COMMIT_LIMIT, write(raft, proposal)).await;
    written.unwrap_or(Err(TOO_LATE)).map(|_| ())
}

async fn write(raft: &Raft, proposal: Proposal) -> Result<Outcomes, LeaderError> {
    let witness = Witness::before_write(raft);
    match raft.client_write(Arc::new(proposal)).await {
        Ok(response) => Ok(response.data.outcomes),
        Err(RaftError::APIError(ClientWriteError::ForwardToLeader(forward))) => {
            Err(witness.refusal(raft, forward).await)
        }
        Err(RaftError::APIError(ClientWriteError::ChangeMembershipError(error))) => {
            Err(LeaderError::MembershipBusy(error.to_string()))
        }
        // The entry may be on disk already, and may be applied when the process starts again.
        Err(RaftError::Fatal(fatal)) => Err(LeaderError::RaftStopped(fatal.to_string())),
    }
}
