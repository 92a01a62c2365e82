//! See [`ReportFaults`].

use crate::state::stored::ReportFaults;
use cairn_protocol::metadata::Outcome;
use cairn_protocol::metadata::command::ShardReportKind;

use crate::error::Refused;
use crate::state::tables::repair::Cause;
use crate::state::tables::{Tables, extents, repair};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ReportFaults) -> Result<Outcome, Refused> {
    for report in &command.reports {
        // A shard that was deleted or moved since then needs no repair.
        let row = extents::get(&tables.extents, report.extent)?;
        let current = row.is_some_and(|row| row.locations.get(usize::from(report.index)) == Some(&Some(report.disk)));
        if current {
            let cause = match report.kind {
                ShardReportKind::Missing => Cause::Missing,
                ShardReportKind::Corrupt => Cause::Corrupt,
            };
            repair::put(&mut tables.repair, report.extent, report.index, cause)?;
        }
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::DiskNumber;
    use cairn_protocol::metadata::command::{ReportFaults, ShardReport, ShardReportKind};

    use crate::state::commands::testing::State;

    #[test]
    fn only_shards_on_the_reported_disk_are_queued() {
        let state = State::with_bucket();
        let body = state.put("a", 10);
        let extent = body.run.first;
        let disk = body.extents[0].locations[2].unwrap();
        let report = |extent, index, disk| ShardReport { extent, index, disk, kind: ShardReportKind::Corrupt };
        let reports = vec![
            report(extent, 2, disk),
            report(extent, 2, disk),
            report(extent, 1, DiskNumber(99)),
            report(extent, 200, disk),
            report(extent.offset(5), 2, disk),
        ];
        state.apply(ReportFaults { reports }).unwrap();
        assert_eq!(state.repair(), [(extent, 2)]);
    }
}
