//! Which part of the log members need that are being sent a snapshot: what was written since it was taken, until they have
//! that too. Without it the log would be purged past a large snapshot before it has arrived, and the member would need the
//! next one, for ever.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use cairn_core::id::MemberId;
use cairn_core::sync::IgnorePoison;

/// Time without progress after which a member that has its snapshot counts as gone.
const IDLE_MAX: Duration = Duration::from_mins(5);

/// The pins of one leader.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    attempts: u64,
    pins: BTreeMap<MemberId, Pin>,
}

#[derive(Debug)]
struct Pin {
    attempt: u64,
    /// The last entry that the member has, or will have once its snapshot is installed.
    behind: u64,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    /// The snapshot is on its way.
    Sending,
    /// The snapshot has arrived. Holds when the member was last seen to make progress.
    CatchingUp(Option<Duration>),
}

/// What the leader knows when it looks through the pins.
pub(crate) struct Progress<'a> {
    /// The last entry that each member of the group has, as far as this leader knows.
    pub(crate) matched: &'a BTreeMap<MemberId, Option<u64>>,
    pub(crate) last: u64,
    /// Entries that a member may lack that has caught up.
    pub(crate) lag_max: u64,
    /// Bytes of the entries behind one.
    pub(crate) bytes_behind: &'a dyn Fn(u64) -> u64,
    /// Bytes that a pin may hold.
    pub(crate) bytes_max: u64,
    pub(crate) now: Duration,
}

impl Pins {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().ignore_poison()
    }

    /// Pins the log behind entry `index`, at which a snapshot for `member` ends, in the place of an earlier pin for it.
    pub(crate) fn hold(self: &Arc<Self>, member: MemberId, index: u64) -> Held {
        let mut state = self.state();
        state.attempts += 1;
        let attempt = state.attempts;
        state.pins.insert(member, Pin { attempt, behind: index, stage: Stage::Sending });
        Held { pins: Arc::clone(self), member, attempt }
    }

    /// The member does not lead any more.
    pub(crate) fn clear(&self) {
        self.state().pins.clear();
    }

    /// Lets go of the pins that are not needed any more, or hold too much; returns the last entry that no other pin needs.
    pub(crate) fn review(&self, progress: &Progress<'_>) -> Option<u64> {
        let mut state = self.state();
        state.pins.retain(|member, pin| pin.is_needed(*member, progress));
        state.pins.values().map(|pin| pin.behind).min()
    }
}

impl Pin {
    fn is_needed(&mut self, member: MemberId, progress: &Progress<'_>) -> bool {
        let Some(matched) = progress.matched.get(&member) else { return false };
        if let Stage::CatchingUp(moved) = &mut self.stage {
            let reached = matched.unwrap_or(0).max(self.behind);
            if reached > self.behind || moved.is_none() {
                (self.behind, *moved) = (reached, Some(progress.now));
            }
            if progress.last.saturating_sub(reached) <= progress.lag_max {
                tracing::info!(%member, "a metadata member has caught up after a snapshot");
                return false;
            }
            if moved.is_some_and(|at| progress.now.saturating_sub(at) >= IDLE_MAX) {
                tracing::warn!(%member, "a metadata member does not catch up after its snapshot; the log is not kept for it");
                return false;
            }
        }
        let bytes = (progress.bytes_behind)(self.behind);
        if bytes > progress.bytes_max {
            tracing::warn!(
                %member, bytes, bytes_max = progress.bytes_max,
                "the log that is kept for a metadata member with a snapshot on its way is too large; it is given up, and the \
                 member needs another snapshot: raise metadata.log_pinned, or make room on the disk"
            );
            return false;
        }
        true
    }
}

/// Ends the pin when the transfer ends without [`Held::arrived`].
pub(crate) struct Held {
    pins: Arc<Pins>,
    member: MemberId,
    attempt: u64,
}

impl Held {
    /// The snapshot is installed: the pin stays until the member has the entries since.
    pub(crate) fn arrived(self) {
        if let Some(pin) = self.pins.state().pins.get_mut(&self.member).filter(|pin| pin.attempt == self.attempt) {
            pin.stage = Stage::CatchingUp(None);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let is_own = |pin: &mut Pin| pin.attempt == self.attempt && matches!(pin.stage, Stage::Sending);
        let mut state = self.pins.state();
        if state.pins.get_mut(&self.member).is_some_and(is_own) {
            state.pins.remove(&self.member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: MemberId = MemberId(3);

    /// What [`Pins::review`] says when member 3 has `matched`; every entry has 1 KiB, and a pin may hold 1 MiB.
    fn review(pins: &Pins, matched: Option<u64>, last: u64, seconds: u64) -> Option<u64> {
        pins.review(&Progress {
            matched: &BTreeMap::from([(MEMBER, matched)]),
            last,
            lag_max: 10,
            bytes_behind: &|index| (last - index) << 10,
            bytes_max: 1 << 20,
            now: Duration::from_secs(seconds),
        })
    }

    #[test]
    fn the_log_is_kept_from_the_snapshot_until_the_member_has_the_rest() {
        let pins = Arc::new(Pins::default());
        assert_eq!(review(&pins, None, 50, 0), None);
        let held = pins.hold(MEMBER, 100);
        assert_eq!(review(&pins, None, 900, 100_000), Some(100), "a transfer takes as long as it takes");
        held.arrived();
        assert_eq!(review(&pins, Some(100), 1000, 100_001), Some(100));
        assert_eq!(review(&pins, Some(700), 1100, 100_200), Some(700));
        assert_eq!(review(&pins, Some(1090), 1101, 100_400), Some(1090));
        assert_eq!(review(&pins, Some(1101), 1102, 100_401), None);
        assert_eq!(review(&pins, Some(1101), 2000, 100_402), None, "it is an ordinary follower now");
    }

    #[test]
    fn a_pin_ends_with_its_transfer_its_member_and_its_limits() {
        let pins = Arc::new(Pins::default());
        let first = pins.hold(MEMBER, 100);
        let second = pins.hold(MEMBER, 200);
        drop(first);
        assert_eq!(review(&pins, None, 300, 0), Some(200), "the pin of a later transfer stays");
        drop(second);
        assert_eq!(review(&pins, None, 300, 0), None, "the transfer failed");

        let held = pins.hold(MEMBER, 100);
        assert_eq!(review(&pins, None, 1124, 0), Some(100));
        assert_eq!(review(&pins, None, 1125, 0), None, "too many bytes");
        held.arrived();
        assert_eq!(review(&pins, Some(100), 200, 0), None, "what was given up does not come back");

        pins.hold(MEMBER, 100).arrived();
        assert_eq!(review(&pins, Some(100), 200, 0), Some(100));
        assert_eq!(review(&pins, Some(150), 300, 299), Some(150));
        assert_eq!(review(&pins, Some(150), 400, 598), Some(150));
        assert_eq!(review(&pins, Some(150), 400, 599), None, "it is gone");

        pins.hold(MemberId(9), 100).arrived();
        assert_eq!(review(&pins, None, 200, 0), None, "it is no member");
        pins.hold(MEMBER, 100).arrived();
        pins.clear();
        assert_eq!(review(&pins, None, 200, 0), None);
    }
}
