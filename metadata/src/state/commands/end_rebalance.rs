//! See [`EndRebalance`].

use crate::state::stored::EndRebalance;
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use crate::error::Refused;
use crate::state::tables::{Tables, rebalance};

pub(super) fn apply(tables: &mut Tables<'_>, command: &EndRebalance, context: Context) -> Result<Outcome, Refused> {
    let meant = |id| command.rebalance.is_none_or(|meant| meant == id);
    if let Some(mut record) = rebalance::running(&tables.meta)?.filter(|record| meant(record.id)) {
        record.ended = Some((context.now_ms, command.end.clone()));
        rebalance::put(&mut tables.meta, &record)?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::CommitSequence;
    use cairn_protocol::metadata::Rejection;
    use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd, StartRebalance};
    use cairn_protocol::metadata::query::RebalanceRecord;

    use crate::state::commands::testing::State;
    use crate::state::tables::rebalance;

    fn record(state: &State) -> RebalanceRecord {
        rebalance::get(&state.view().meta().unwrap()).unwrap().unwrap()
    }

    #[test]
    fn one_rebalance_runs_at_a_time_and_a_late_end_ends_no_other() {
        let state = State::new();
        let start = |rate| state.apply(StartRebalance { bytes_per_s_max: rate, reencodes: false }).unwrap();
        let end = |rebalance, end| state.apply(EndRebalance { rebalance, end }).unwrap();
        end(None, RebalanceEnd::Stopped);
        start(Some(5));
        let first = record(&state);
        start(Some(7));
        assert_eq!(record(&state), RebalanceRecord { bytes_per_s_max: Some(7), ..first.clone() });
        let other = StartRebalance { bytes_per_s_max: None, reencodes: true };
        assert!(matches!(state.refused(other), Rejection::Topology(_)));
        end(Some(CommitSequence(first.id.0 + 1)), RebalanceEnd::Even);
        assert_eq!(record(&state).ended, None, "another one was meant");
        end(Some(first.id), RebalanceEnd::Even);
        end(None, RebalanceEnd::Stopped);
        assert_eq!(record(&state).ended.map(|(_, end)| end), Some(RebalanceEnd::Even));
        start(None);
        assert_ne!(record(&state).id, first.id);
        assert_eq!(record(&state).ended, None);
    }
}
