//! Reclaims space: what was released a grace period ago is deleted.

use std::sync::Arc;
use std::time::Duration;

use cairn_protocol::storage::StorageDirectory;

use super::grace::GraceMarks;
use super::job::Job;
use super::reclaimer::Reclaimer;
use crate::leader::{Leader, LeaderError};

pub(super) struct Reclaim {
    grace: Duration,
    storage: StorageDirectory,
    lead: Option<Lead>,
}

/// What is remembered of one lead.
struct Lead {
    term: u64,
    marks: GraceMarks,
    reclaimer: Reclaimer,
}

impl Reclaim {
    pub(super) fn new(grace: Duration, storage: StorageDirectory) -> Self {
        Self { grace, storage, lead: None }
    }
}

impl Job for Reclaim {
    const NAME: &'static str = "reclaim";

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        let term = leader.term();
        let lead = match self.lead.take_if(|lead| lead.term == term) {
            Some(lead) => lead,
            None => Lead { term, marks: GraceMarks::new(self.grace), reclaimer: Reclaimer::new(self.storage.clone()) },
        };
        let lead = self.lead.insert(lead);
        if leader.is_held_back().await? {
            return Ok(false);
        }
        // The commit before the clock: what is younger than the clock says must not count as older.
        let commit = leader.commit();
        match lead.marks.mark(leader.now(), commit) {
            Some(due) => lead.reclaimer.step(leader, due).await,
            None => Ok(false),
        }
    }
}
