//! The part of a metadata service that a storage node sees.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use cairn_core::id::{ClusterId, DiskNumber, Epoch, ExtentId};
use cairn_core::testing::commit_at;
use cairn_protocol::metadata::command::{NodeRegistered, RegisterNode, ShardReport};
use cairn_protocol::metadata::{
    Answer, Command, Metadata, MetadataError, Outcome, Query, Rejection, Signal, SignalAnswer,
};
use cairn_protocol::storage::NodeStatus;

/// Keeps what it receives in memory.
pub(super) struct MemoryMetadata {
    pub(super) cluster: ClusterId,
    pub(super) is_up: AtomicBool,
    pub(super) commit: AtomicU64,
    pub(super) garbage: Mutex<HashSet<ExtentId>>,
    pub(super) committed: Mutex<HashSet<ExtentId>>,
    pub(super) registered: Mutex<Vec<RegisterNode>>,
    /// The next heartbeat is told that the node is not known.
    pub(super) has_forgotten: AtomicBool,
    pub(super) heard: Mutex<Option<NodeStatus>>,
    pub(super) faults: Mutex<Vec<ShardReport>>,
}

impl MemoryMetadata {
    pub(super) fn new(cluster: u8) -> Self {
        Self {
            cluster: ClusterId::from_random([cluster; 16]),
            is_up: true.into(),
            commit: 100.into(),
            garbage: Mutex::default(),
            committed: Mutex::default(),
            registered: Mutex::default(),
            has_forgotten: false.into(),
            heard: Mutex::default(),
            faults: Mutex::default(),
        }
    }

    fn up(&self) -> Result<(), MetadataError> {
        let up = self.is_up.load(Ordering::SeqCst);
        if up { Ok(()) } else { Err(MetadataError::Unavailable("no leader".into())) }
    }
}

#[async_trait]
impl Metadata for MemoryMetadata {
    async fn execute(&self, command: Command) -> Result<Outcome, MetadataError> {
        self.up()?;
        let command = match command {
            Command::RegisterNode(command) => command,
            Command::ReportFaults(command) => {
                self.faults.lock().unwrap().extend(command.reports);
                return Ok(Outcome::Done);
            }
            Command::AbandonExtents(command) => {
                let committed = self.committed.lock().unwrap();
                let (kept, gone) = command.extents.into_iter().partition(|extent| committed.contains(extent));
                self.garbage.lock().unwrap().extend::<Vec<ExtentId>>(gone);
                return Ok(Outcome::ExtentsAbandoned(kept));
            }
            command => panic!("unexpected command {command:?}"),
        };
        if command.cluster.is_some_and(|cluster| cluster != self.cluster) {
            return Err(Rejection::Topology("another cluster".into()).into());
        }
        let disks = (1..=command.disks.len() as u32).map(DiskNumber).collect();
        self.registered.lock().unwrap().push(command);
        Ok(Outcome::NodeRegistered(NodeRegistered { cluster: self.cluster, disks }))
    }

    async fn query(&self, query: Query) -> Result<Answer, MetadataError> {
        self.up()?;
        let Query::ClassifyShards(query) = query else { panic!("unexpected query {query:?}") };
        let garbage = self.garbage.lock().unwrap();
        Ok(Answer::Garbage(query.shards.iter().map(|shard| garbage.contains(&shard.extent)).collect()))
    }

    async fn signal(&self, signal: Signal) -> Result<SignalAnswer, MetadataError> {
        self.up()?;
        let Signal::Heartbeat(status) = signal else { panic!("unexpected signal {signal:?}") };
        *self.heard.lock().unwrap() = Some(status);
        let commit = commit_at(self.commit.load(Ordering::SeqCst));
        Ok(SignalAnswer {
            map_epoch: Epoch(1),
            commit,
            session_valid: false,
            members: None,
            history: None,
            history_then: None,
            is_registered: Some(!self.has_forgotten.swap(false, Ordering::SeqCst)),
        })
    }
}
