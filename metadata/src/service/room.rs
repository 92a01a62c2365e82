//! What a member does when its filesystem is full: it takes no entries, and hands over the lead to one that has room.

use std::sync::{Arc, Weak};
use std::time::Duration;

use cairn_core::id::MemberId;
use futures_util::future::join_all;
use tokio::sync::watch;

use super::hello::hello;
use super::member::RunningMember;
use crate::raft::message::Stopped;
use crate::space::Room;

/// Pause after an attempt to hand over the lead.
const ATTEMPT_PAUSE: Duration = Duration::from_secs(10);

impl RunningMember {
    /// Refuses messages while the log waits for room: Raft would answer none of them, and keep all.
    pub(super) fn check_not_waiting(&self) -> Result<(), Stopped> {
        let space = self.machine.space();
        if space.is_waiting() { space.demand(Room::Short).map_err(Stopped::because) } else { Ok(()) }
    }

    /// Refuses entries when the last room is left, which is for votes. The leader sends them again.
    pub(super) fn check_room_for_entries(&self, are_there_any: bool) -> Result<(), Stopped> {
        if are_there_any {
            return self.machine.space().demand(Room::Short).map_err(Stopped::because);
        }
        self.check_not_waiting()
    }

    /// Refuses to lead with less room than the leader has to have.
    pub(super) fn check_room_to_lead(&self) -> Result<(), String> {
        self.machine.space().demand(Room::Enough).map_err(|e| e.to_string())
    }

    /// The voter that is to lead in the place of this member: one with room, and of those one that lags least.
    async fn roomy_voter(&self) -> Option<MemberId> {
        let (group, me) = (self.leader.members().group(), self.admission.me());
        let question = self.greeting();
        let others = group.nodes.iter().filter(|(id, _)| **id != me.member && group.is_voter(**id));
        let asked = others.map(async |(id, addr)| {
            let answer = hello(&self.rpc, addr, &question).await.ok()?;
            (answer.member == *id && answer.has_room == Some(true)).then_some(*id)
        });
        let roomy = join_all(asked).await.into_iter().flatten();
        roomy.min_by_key(|id| group.lag(*id).unwrap_or(u64::MAX))
    }

    /// Hands over the lead if another member has room for what this one has to refuse; tells whether it tried.
    async fn make_way(self: &Arc<Self>) -> bool {
        if !self.leader.leads() || self.machine.space().room() == Room::Enough {
            return false;
        }
        let Some(next) = self.roomy_voter().await else { return false };
        tracing::warn!(member = %next, "this member is short of room; it hands over the lead to one that is not");
        if let Err(error) = self.transfer_lead(next).await {
            tracing::warn!(%error, member = %next, "the lead is not handed over; trying again");
        }
        true
    }
}

/// Hands over the lead whenever this member leads without room and another has some.
pub(super) async fn run(member: Weak<RunningMember>, every: Duration, mut stop: watch::Receiver<bool>) {
    let mut pause = every;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stop.changed() => return,
        }
        let Some(member) = member.upgrade() else { return };
        pause = if member.make_way().await { ATTEMPT_PAUSE } else { every };
    }
}
