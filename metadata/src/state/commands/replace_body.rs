//! See [`ReplaceBody`].

use crate::state::stored::ReplaceBody;
use cairn_core::id::BucketId;
use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::{Outcome, Rejection};
use redb::ReadableTable;

use super::body::{self, Known};
use super::context::Context;
use super::release::release;
use crate::error::{Refused, StoreError};
use crate::state::tables::parts::{self, PartRow};
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::versions::{self, VersionRow};
use crate::state::tables::{Row, Tables, buckets, rebalance};

pub(super) fn apply(tables: &mut Tables<'_>, command: &ReplaceBody, context: Context) -> Result<Outcome, Refused> {
    if body::check(tables, command.session, Some(&command.body))? == Known::Committed {
        return Ok(Outcome::Done);
    }
    let stale = |why: &str| Refused::from(Rejection::Stale(format!("{}/{}: {why}", command.bucket, command.key)));
    let running = rebalance::running(&tables.meta)?.filter(|record| record.id == command.rebalance);
    let mut record = running.ok_or_else(|| stale("the rebalance has ended"))?;
    if command.body.run.size != command.old.size {
        return Err(stale("the new body has another size"));
    }
    let bucket = buckets::get(&tables.buckets, &command.bucket)?.id;
    if !swap(tables, bucket, command)? {
        return Err(stale("the object has another body by now"));
    }
    body::record(tables, &command.body)?;
    release(tables, context, 0, Some(Garbage::Run(command.old)))?;
    record.moved_shards += command.body.extents.iter().map(|extent| extent.locations.len() as u64).sum::<u64>();
    record.moved_bytes += command.old.size;
    rebalance::put(&mut tables.meta, &record)?;
    Ok(Outcome::Done)
}

/// Replaces the old run with the new one; `false` if the old one is gone.
fn swap(tables: &mut Tables<'_>, bucket: BucketId, command: &ReplaceBody) -> Result<bool, StoreError> {
    let key = versions::key(bucket, command.key.as_str().as_bytes(), command.sequence);
    let is_current = tables.versions.get(key)?.is_some();
    let table = if is_current { &mut tables.versions } else { &mut tables.noncurrent };
    let row = table.get(key)?.map(|row| VersionRow::read(row.value())).transpose()?;
    let Some(row) = row else { return Ok(false) };
    let (old, new) = (command.old, command.body.run);
    match (row.content, command.part) {
        (Content::Run(run), None) if run == old => {
            let row = VersionRow { content: Content::Run(new), ..row };
            table.insert(key, row.to_bytes().as_slice())?;
            Ok(true)
        }
        (Content::Parts(upload), Some(number)) => {
            let part = parts::get(&tables.parts, upload, number)?.filter(|part| part.run == Some(old));
            let Some(part) = part else { return Ok(false) };
            let part = PartRow { run: Some(new), ..part };
            tables.parts.insert((upload.0, number.get()), part.to_bytes().as_slice())?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use cairn_core::id::{CommitSequence, PartNumber};
    use cairn_core::limits::PART_BYTES_MIN;
    use cairn_core::name::ObjectKey;
    use cairn_protocol::metadata::command::{EndRebalance, RebalanceEnd, ReplaceBody, StartRebalance};
    use cairn_protocol::metadata::content::Content;
    use cairn_protocol::metadata::{PlacedRun, Rejection};

    use crate::state::commands::testing::State;
    use crate::state::tables::{parts, rebalance};

    fn started() -> (State, CommitSequence) {
        let state = State::with_bucket();
        state.apply(StartRebalance { bytes_per_s_max: None, reencodes: true }).unwrap();
        let id = rebalance::get(&state.view().meta().unwrap()).unwrap().unwrap().id;
        (state, id)
    }

    fn replace(state: &State, rebalance: CommitSequence, old: &PlacedRun, part: Option<u64>) -> ReplaceBody {
        ReplaceBody {
            session: state.session(),
            rebalance,
            bucket: state.bucket(),
            key: ObjectKey::new("a").unwrap(),
            sequence: state.newest("a").unwrap().0,
            part: part.map(|number| PartNumber::new(number).unwrap()),
            old: old.run,
            body: state.body(old.run.size),
        }
    }

    #[test]
    fn a_replaced_body_changes_nothing_else() {
        let (state, id) = started();
        let old = state.put("a", 500);
        let before = state.newest("a").unwrap();
        let command = replace(&state, id, &old, None);
        for _ in 0..2 {
            state.apply(command.clone()).unwrap();
        }
        let after = state.newest("a").unwrap();
        assert_eq!(after.1.content, Content::Run(command.body.run));
        assert_eq!(
            (after.0, after.1.etag, after.1.last_modified_ms),
            (before.0, before.1.etag, before.1.last_modified_ms)
        );
        assert_eq!((state.reclaim_runs(), state.usage()), (vec![old.run], (1, 500, 0)));
        assert_eq!(state.located(&command.body.run), command.body.run.count());
    }

    /// I11: an overwrite in the meantime wins, and so does a stop.
    #[test]
    fn an_overwrite_a_deletion_and_a_stop_win() {
        let (state, id) = started();
        let old = state.put("a", 500);
        let late = replace(&state, id, &old, None);
        let refused = |command| assert!(matches!(state.refused(command), Rejection::Stale(_)));
        refused(ReplaceBody { body: state.body(499), ..late.clone() });
        refused(ReplaceBody { part: Some(PartNumber::new(1).unwrap()), ..late.clone() });
        let new = state.put("a", 500);
        refused(late);
        let late = replace(&state, id, &new, None);
        state.delete("a");
        refused(late);
        let new = state.put("a", 500);
        let late = replace(&state, id, &new, None);
        state.apply(EndRebalance { rebalance: None, end: RebalanceEnd::Stopped }).unwrap();
        refused(late);
    }

    #[test]
    fn parts_are_replaced_one_by_one() {
        let (state, id) = started();
        let upload = state.create_upload("a");
        let first = state.put_part("a", upload, 1, PART_BYTES_MIN);
        let second = state.put_part("a", upload, 2, 100);
        state.apply(state.completion("a", upload, &[1, 2])).unwrap();
        let offset = |number| {
            let part = parts::get(&state.view().parts().unwrap(), upload, PartNumber::new(number).unwrap());
            let part = part.unwrap().unwrap();
            (part.run, part.offset)
        };
        let command = replace(&state, id, &second, Some(2));
        state.apply(command.clone()).unwrap();
        assert_eq!(offset(2), (Some(command.body.run), PART_BYTES_MIN));
        assert_eq!(offset(1), (Some(first.run), 0));
        assert!(matches!(state.refused(replace(&state, id, &second, Some(2))), Rejection::Stale(_)));
    }
}
