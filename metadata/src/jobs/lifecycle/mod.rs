//! Applies the lifecycle rules of buckets.
//!
//! The leader also counts the time for which the service has run ([`ServiceTime`]), even if no bucket has rules: a version
//! is deleted only if it is old enough by that count as well (I20).
//!
//! A pass walks over the versions and uploads of all buckets with rules, in bounded steps. Expired ones are deleted by
//! [`ApplyLifecycle`], which names the commits that the walk saw: an overwrite or a change of the rules in between wins. A
//! step that was interrupted, for example by a change of leader, is repeated.

mod walk;

use std::sync::Arc;
use std::time::Duration;

use cairn_core::lifecycle::{Day, Moment, ServiceTime};
use cairn_protocol::metadata::command::{AdvanceServiceTime, LifecycleApplied};
use cairn_protocol::metadata::{Outcome, Rejection};

use super::job::Job;
use crate::leader::{Leader, LeaderError};
use crate::options::Options;
use crate::state::tables::service_time;
use walk::{Cursor, Step};

/// Marks of the service time in a day.
const MARKS_PER_DAY: u32 = 24;
/// Days by which the service time may hold a version back before a warning. Less is within the resolution of the marks.
const WARN_DAYS: u32 = 1;

/// The job.
pub(super) struct Lifecycle {
    interval: Duration,
    day: Day,
    /// Time between two marks.
    spacing: Duration,
    lead: Option<Lead>,
}

/// The job's state within one term.
struct Lead {
    term: u64,
    /// Up to when the service time is counted, by this member's monotonic clock.
    counted: Duration,
    /// Whether the count has begun, by this leader or one before.
    has_begun: bool,
    /// When the last pass began.
    began: Option<Duration>,
    pass: Option<Pass>,
}

/// A walk over everything.
#[derive(Default)]
struct Pass {
    cursor: Cursor,
    looked_at: u64,
    gone: LifecycleApplied,
    waiting: u64,
    short_ms_max: u64,
}

impl Lifecycle {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            interval: options.lifecycle_interval,
            day: Day::of(options.lifecycle_day),
            spacing: options.lifecycle_day / MARKS_PER_DAY,
            lead: None,
        }
    }
}

impl Job for Lifecycle {
    const NAME: &'static str = "lifecycle";

    async fn tick(&mut self, leader: &Arc<Leader>) -> Result<bool, LeaderError> {
        let (term, now) = (leader.term(), leader.now());
        if self.lead.as_ref().is_none_or(|lead| lead.term != term) {
            // Time before this term is counted by the earlier leader.
            self.lead = Some(Lead { term, counted: now, has_begun: false, began: None, pass: None });
        }
        let Some(lead) = &mut self.lead else { return Ok(false) };
        count(lead, leader, self.spacing).await?;
        if lead.pass.is_none() && lead.began.is_none_or(|began| now.saturating_sub(began) >= self.interval) {
            lead.began = Some(now);
            lead.pass = Some(Pass::default());
        }
        let Some(pass) = &mut lead.pass else { return Ok(false) };
        if leader.is_held_back().await? {
            return Ok(false);
        }
        let goes_on = step(pass, leader, self.day).await?;
        if !goes_on {
            pass.report(self.day);
            lead.pass = None;
        }
        Ok(goes_on)
    }
}

/// Counts the time since it was counted last, if that is long enough.
async fn count(lead: &mut Lead, leader: &Leader, spacing: Duration) -> Result<(), LeaderError> {
    // The commit is read before the clock: whatever is younger than the clock says must not count as older.
    let commit = leader.commit();
    let now = leader.now();
    let passed = now.saturating_sub(lead.counted);
    if passed < spacing && lead.has_begun {
        return Ok(());
    }
    let time = read_time(leader).await?;
    lead.has_begun = time != ServiceTime::default();
    if passed < spacing && lead.has_begun {
        return Ok(());
    }
    let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    let (from_ms, spacing_ms) = (time.elapsed_ms(), ms(spacing));
    let advance = AdvanceServiceTime { from_ms, to_ms: from_ms.saturating_add(ms(passed)), commit, spacing_ms };
    // If it cannot be said whether this is applied, the time is lost rather than counted twice.
    lead.counted = now;
    match leader.execute(advance.into()).await {
        Ok(_) | Err(LeaderError::Rejected(Rejection::Stale(_))) => Ok(()),
        Err(failure) => Err(failure),
    }
}

async fn read_time(leader: &Leader) -> Result<ServiceTime, LeaderError> {
    leader.read(|view| service_time::get(&view.meta()?)).await
}

/// Reads the next versions or uploads and removes the expired ones; returns whether there are more.
async fn step(pass: &mut Pass, leader: &Leader, day: Day) -> Result<bool, LeaderError> {
    let (cursor, wall_ms) = (pass.cursor.clone(), leader.wall_ms());
    let looked = leader.read(move |view| {
        let service = service_time::get(&view.meta()?)?;
        walk::step(view, cursor, &Moment { wall_ms, service: &service, day })
    });
    let Some(Step { ended, next, looked_at, waiting, short_ms_max }) = looked.await? else { return Ok(false) };
    if let Some(ended) = ended {
        match leader.execute(ended.into()).await {
            Ok(Outcome::LifecycleApplied(gone)) => pass.add(gone),
            Ok(_) => {}
            // The rules have changed since: the same place is looked at again, by the new ones.
            Err(LeaderError::Rejected(Rejection::Stale(_))) => return Ok(true),
            Err(failure) => return Err(failure),
        }
    }
    pass.looked_at += looked_at;
    pass.waiting += waiting;
    pass.short_ms_max = pass.short_ms_max.max(short_ms_max);
    pass.cursor = next;
    Ok(true)
}

impl Pass {
    fn add(&mut self, gone: LifecycleApplied) {
        self.gone.versions += gone.versions;
        self.gone.bytes += gone.bytes;
        self.gone.uploads += gone.uploads;
    }

    /// Logs the result of the pass.
    fn report(&self, day: Day) {
        let LifecycleApplied { versions, bytes, uploads } = self.gone;
        let (looked_at, waiting) = (self.looked_at, self.waiting);
        if versions + uploads > 0 {
            tracing::info!(looked_at, versions, bytes, uploads, waiting, "a lifecycle pass has ended");
        } else {
            tracing::debug!(looked_at, waiting, "a lifecycle pass has ended; nothing had expired");
        }
        if self.short_ms_max > day.span_ms(WARN_DAYS) {
            let short_days = self.short_ms_max / day.span_ms(1);
            tracing::warn!(
                waiting,
                short_days,
                "by the wall clock lifecycle rules have ended versions or uploads that the metadata service has not kept \
                 for that long: they stay until it has. Either the service was down or new for that time, or the clock of \
                 this machine or the one that led before has jumped: compare `date -u` on the metadata members"
            );
        }
    }
}

#[cfg(test)]
mod tests;
