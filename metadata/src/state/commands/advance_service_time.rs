//! See [`AdvanceServiceTime`].

use crate::state::stored::AdvanceServiceTime;
use cairn_protocol::metadata::{Outcome, Rejection};

use crate::error::Refused;
use crate::state::tables::{Tables, service_time};

pub(super) fn apply(tables: &mut Tables<'_>, command: &AdvanceServiceTime) -> Result<Outcome, Refused> {
    let mut time = service_time::get(&tables.meta)?;
    if time.elapsed_ms() != command.from_ms {
        let at = time.elapsed_ms();
        return Err(Rejection::Stale(format!("the service time is at {at} ms, not at {}", command.from_ms)).into());
    }
    time.advance(command.to_ms, command.commit, command.spacing_ms);
    service_time::put(&mut tables.meta, &time)?;
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_protocol::metadata::command::AdvanceServiceTime;
    use cairn_protocol::metadata::{Outcome, Rejection};

    use crate::state::commands::testing::State;
    use crate::state::tables::service_time;

    /// I20: two leaders, or one that repeats its request, do not count the same time twice.
    #[test]
    fn no_time_is_counted_twice() {
        let state = State::new();
        let step = |from_ms, to_ms, commit| AdvanceServiceTime {
            from_ms,
            to_ms,
            commit: CommitSequence(commit),
            spacing_ms: 1,
        };
        assert_eq!(state.apply(step(0, 100, 7)), Ok(Outcome::Done));
        assert!(matches!(state.refused(step(0, 100, 7)), Rejection::Stale(_)));
        assert_eq!(state.apply(step(100, 350, 8)), Ok(Outcome::Done));
        let time = service_time::get(&state.view().meta().unwrap()).unwrap();
        assert_eq!((time.elapsed_ms(), time.age_ms(CommitSequence(7))), (350, 250));
    }
}
