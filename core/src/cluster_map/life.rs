//! The states of a disk, and which event leads from one to another.
//!
//! ```text
//!  Joining ──seen──► Active ◄──► Full, Suspect            as its node reports
//!                      │ ▲
//!                 lost │ │ reconciled
//!                      ▼ │
//!               Unavailable ──seen──► Quarantined ◄──seen── Failed
//!                      └────────── grace over ───────────────► ┘
//!
//!  drain: Active, Full ──► Draining (other states keep their name and are emptied all the same)
//!  remove, of a disk that is drained, or failed: ──► Removed, for good
//! ```
//!
//! A disk that was away is reconciled with metadata before it takes new shards (I17). A restart that was too short to
//! be noticed is no absence: the state does not change.

use minicbor::{Decode, Encode};

use super::{Disk, DiskState, Standing};

/// Something that happens to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum DiskEvent {
    /// The node reports it in this state.
    #[n(0)]
    Seen(#[n(0)] DiskState),
    /// The node is silent, or does not report it.
    #[n(1)]
    Lost,
    /// It has been away for the whole grace period.
    #[n(2)]
    GraceOver,
    /// It has been reconciled with metadata; the node reports it in this state.
    #[n(3)]
    Reconciled(#[n(0)] DiskState),
    /// The operator drains it.
    #[n(4)]
    Drain,
    /// The operator cancels the drain.
    #[n(5)]
    CancelDrain,
    /// The operator removes it for good. The caller has checked that it is empty.
    #[n(6)]
    Remove,
}

/// An event that is not allowed in a disk's present state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// It was removed, which is final.
    #[error("it was removed from the cluster")]
    Removed,
    /// It has to be drained before it is removed.
    #[error("it is {0} and not drained: drain it first")]
    NotDrained(DiskState),
    /// There is no drain to cancel.
    #[error("it is not being drained")]
    NotDraining,
}

/// The standing and the state of `disk` after `event`.
pub fn step(disk: &Disk, event: DiskEvent) -> Result<(Standing, DiskState), LifeError> {
    use DiskState as S;
    let (standing, state) = (disk.standing, disk.state);
    if standing == Standing::Removed {
        return match event {
            DiskEvent::Drain | DiskEvent::CancelDrain => Err(LifeError::Removed),
            _ => Ok((standing, S::Removed)),
        };
    }
    let state = match event {
        DiskEvent::Seen(S::Unavailable) | DiskEvent::Lost => match state {
            S::Joining | S::Failed => state,
            _ => S::Unavailable,
        },
        DiskEvent::Seen(seen) => match state {
            S::Unavailable | S::Failed | S::Quarantined => S::Quarantined,
            _ => under(standing, seen),
        },
        DiskEvent::GraceOver if state == S::Unavailable => S::Failed,
        DiskEvent::Reconciled(seen) if state == S::Quarantined => under(standing, seen),
        DiskEvent::GraceOver | DiskEvent::Reconciled(_) => state,
        DiskEvent::Drain => return Ok((Standing::Draining, under(Standing::Draining, state))),
        DiskEvent::CancelDrain if standing == Standing::Draining => {
            let state = if state == S::Draining { S::Active } else { state };
            return Ok((Standing::Member, state));
        }
        DiskEvent::CancelDrain => return Err(LifeError::NotDraining),
        DiskEvent::Remove if standing == Standing::Draining || state == S::Failed => {
            return Ok((Standing::Removed, S::Removed));
        }
        DiskEvent::Remove => return Err(LifeError::NotDrained(state)),
    };
    Ok((standing, state))
}

/// The state of a disk with this standing when its node reports `seen`.
const fn under(standing: Standing, seen: DiskState) -> DiskState {
    match (standing, seen) {
        (Standing::Draining, DiskState::Active | DiskState::Full) => DiskState::Draining,
        _ => seen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{DiskId, DiskNumber, NodeId};
    use DiskEvent as E;
    use DiskState as S;

    fn disk(standing: Standing, state: DiskState) -> Disk {
        Disk {
            number: DiskNumber(1),
            id: DiskId::from_bytes([1; 16]),
            node: NodeId::from_bytes([1; 16]),
            path: String::new(),
            capacity_bytes: 1,
            state,
            standing,
        }
    }

    /// The states that a member passes through from `start`.
    fn check(start: DiskState, path: &[(DiskEvent, DiskState)]) {
        let mut disk = disk(Standing::Member, start);
        for (event, expected) in path {
            let (standing, state) = step(&disk, *event).unwrap();
            assert_eq!(state, *expected, "{:?} then {event:?}", disk.state);
            disk = Disk { state, standing, ..disk };
        }
    }

    #[test]
    fn a_disk_follows_its_reports_while_it_is_never_away() {
        check(
            S::Joining,
            &[(E::Lost, S::Joining), (E::Seen(S::Unavailable), S::Joining), (E::Seen(S::Active), S::Active)],
        );
        check(
            S::Active,
            &[(E::Seen(S::Full), S::Full), (E::Seen(S::Suspect), S::Suspect), (E::Seen(S::Active), S::Active)],
        );
        check(S::Active, &[(E::GraceOver, S::Active), (E::Reconciled(S::Full), S::Active)]);
    }

    /// I17.
    #[test]
    fn a_disk_that_was_away_is_quarantined() {
        check(
            S::Active,
            &[
                (E::Seen(S::Unavailable), S::Unavailable),
                (E::Seen(S::Active), S::Quarantined),
                (E::Seen(S::Active), S::Quarantined),
                (E::Lost, S::Unavailable),
                (E::GraceOver, S::Failed),
                (E::Lost, S::Failed),
                (E::Seen(S::Full), S::Quarantined),
                (E::Reconciled(S::Full), S::Full),
            ],
        );
    }

    #[test]
    fn a_drain_lasts_until_it_is_cancelled_or_the_disk_is_removed() {
        check(
            S::Active,
            &[
                (E::Drain, S::Draining),
                (E::Drain, S::Draining),
                (E::Seen(S::Active), S::Draining),
                (E::Seen(S::Suspect), S::Suspect),
                (E::Lost, S::Unavailable),
                (E::Seen(S::Active), S::Quarantined),
                (E::Reconciled(S::Active), S::Draining),
                (E::CancelDrain, S::Active),
                (E::Drain, S::Draining),
                (E::Remove, S::Removed),
                (E::Seen(S::Active), S::Removed),
                (E::Lost, S::Removed),
            ],
        );
    }

    #[test]
    fn impossible_events_are_refused() {
        let check = |standing, state, event, expected| assert_eq!(step(&disk(standing, state), event), Err(expected));
        check(Standing::Member, S::Active, E::Remove, LifeError::NotDrained(S::Active));
        check(Standing::Member, S::Active, E::CancelDrain, LifeError::NotDraining);
        check(Standing::Removed, S::Removed, E::Drain, LifeError::Removed);
    }
}
