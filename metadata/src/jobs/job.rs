//! How the background jobs run: each in a task of its own, so that none waits for another.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use crate::leader::{Leader, LeaderError};

/// Something that is done again and again.
pub(super) trait Job: Send + 'static {
    /// In log lines.
    const NAME: &'static str;
    /// Whether only the leader does it.
    const LEADS: bool = true;

    /// Does a bounded piece of work; tells whether there is more to do at once. Cut off when the lead ends.
    fn tick(&mut self, leader: &Arc<Leader>) -> impl Future<Output = Result<bool, LeaderError>> + Send;
}

/// When the jobs have their turns.
#[derive(Clone)]
pub(super) struct Beat {
    /// The jobs end when nobody has a handle of the member any more.
    pub(super) leader: Weak<Leader>,
    pub(super) every: Duration,
    pub(super) stop: watch::Receiver<bool>,
}

impl Beat {
    /// Runs a job until the member stops; `wake` gives it a turn before its time.
    pub(super) async fn run<J: Job>(mut self, wake: Arc<Notify>, mut job: J) {
        let mut interval = tokio::time::interval(self.every);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut is_more = false;
        loop {
            tokio::select! {
                _ = interval.tick() => {}
                () = wake.notified() => {}
                () = std::future::ready(()), if is_more => {}
                _ = self.stop.changed() => return,
            }
            let Some(leader) = self.leader.upgrade() else { return };
            is_more = tokio::select! {
                done = turn(&leader, &mut job) => done.unwrap_or_else(|error| {
                    tracing::warn!(%error, job = J::NAME, "a background job failed; retrying");
                    false
                }),
                () = lead_ends(&leader, self.every), if J::LEADS => false,
                _ = self.stop.changed() => return,
            };
        }
    }
}

async fn turn<J: Job>(leader: &Arc<Leader>, job: &mut J) -> Result<bool, LeaderError> {
    if J::LEADS {
        if !leader.works() {
            return Ok(false);
        }
        leader.begin_history().await?;
    }
    job.tick(leader).await
}

/// Returns once this member does not lead any more, rests, or leads in another term.
async fn lead_ends(leader: &Leader, look_every: Duration) {
    let term = leader.term();
    loop {
        tokio::time::sleep(look_every).await;
        if !leader.works() || leader.term() != term {
            return;
        }
    }
}
