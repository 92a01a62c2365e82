//! See [`FinishReclaim`].

use crate::state::stored::FinishReclaim;
use cairn_core::id::{DiskNumber, ExtentId, Generation, UploadId};
use cairn_protocol::metadata::Outcome;

use super::context::Context;
use super::release::release;
use crate::error::{Refused, StoreError};
use crate::state::tables::reclaim::Garbage;
use crate::state::tables::{Tables, extents, parts, reclaim, repair};

/// Part rows that one command removes: an upload of 10,000 parts takes ten commands.
pub(crate) const PART_ROWS_PER_COMMAND: usize = 1000;

pub(super) fn apply(tables: &mut Tables<'_>, command: &FinishReclaim, context: Context) -> Result<Outcome, Refused> {
    // A missing entry was finished by an earlier attempt of the same command.
    let Some(entry) = reclaim::get(&tables.reclaim, command.entry)? else { return Ok(Outcome::Done) };
    let mut all_gone = true;
    let mut left = Vec::new();
    let generations = command.generations.iter().copied().map(Some).chain(std::iter::repeat(None));
    for (extent, generation) in command.extents.iter().zip(generations) {
        if belongs(&entry.garbage, *extent) {
            all_gone &= forget(tables, *extent, generation, &command.away, &mut left)?;
        }
    }
    for (item, garbage) in (0u32..).zip(left) {
        release(tables, context, item, Some(garbage))?;
    }
    let last = command.last && all_gone;
    let finished = match entry.garbage {
        Garbage::Run(_) | Garbage::Shard { .. } => last,
        Garbage::Parts(upload) => last && remove_parts(tables, upload)?,
    };
    if finished {
        tables.reclaim.remove((command.entry.sequence.0, command.entry.item))?;
    }
    Ok(Outcome::Done)
}

/// Guards against a command that names foreign extents: only what the entry releases is removed.
fn belongs(garbage: &Garbage, extent: ExtentId) -> bool {
    match garbage {
        Garbage::Run(run) => {
            let counters = run.first.counter..run.first.counter + run.count();
            extent.session == run.first.session && counters.contains(&extent.counter)
        }
        // Checking would mean reading the parts' runs one by one; the leader read them to find the extents.
        Garbage::Parts(_) => true,
        // Only a copy was released; the extent still exists.
        Garbage::Shard { .. } => false,
    }
}

/// Removes an extent's rows, unless its shards have moved since `generation`. Returns whether the rows are gone. Adds
/// the shards on `away` disks to `left`, which must still be deleted.
fn forget(
    tables: &mut Tables<'_>,
    extent: ExtentId,
    generation: Option<Generation>,
    away: &[DiskNumber],
    left: &mut Vec<Garbage>,
) -> Result<bool, StoreError> {
    let Some(row) = extents::get(&tables.extents, extent)? else { return Ok(true) };
    if generation.is_some_and(|generation| generation != row.generation) {
        return Ok(false);
    }
    let key = extent.to_bytes();
    tables.extents.remove(key)?;
    for (index, location) in (0u8..).zip(&row.locations) {
        let Some(disk) = *location else { continue };
        tables.disk_extents.remove((disk.0, key))?;
        if away.contains(&disk) {
            left.push(Garbage::Shard { extent, index, disk });
        }
    }
    repair::forget(&mut tables.repair, extent)?;
    Ok(true)
}

/// Removes a bounded number of part rows. Returns whether none is left.
fn remove_parts(tables: &mut Tables<'_>, upload: UploadId) -> Result<bool, StoreError> {
    let mut numbers = Vec::new();
    for part in parts::from(&tables.parts, upload, 0)?.take(PART_ROWS_PER_COMMAND) {
        numbers.push(part?.0);
    }
    for number in &numbers {
        tables.parts.remove((upload.0, *number))?;
    }
    Ok(numbers.len() < PART_ROWS_PER_COMMAND)
}

#[cfg(test)]
mod tests {
    use cairn_core::id::DiskNumber;
    use cairn_protocol::metadata::command::FinishReclaim;

    use crate::state::commands::testing::State;
    use crate::state::tables::reclaim::Garbage;

    #[test]
    fn rows_are_removed_with_their_shards() {
        let state = State::with_bucket();
        let kept = state.put("kept", 10);
        let mut body = state.body(10);
        body.extents[0].locations[0] = None;
        state.apply(state.commit("a", Some(body.clone()))).unwrap();
        state.delete("a");
        let (entry, _) = state.reclaim()[0];
        let all = || body.run.ids().collect::<Vec<_>>();
        state
            .apply(FinishReclaim { entry, extents: all(), last: false, generations: Vec::new(), away: Vec::new() })
            .unwrap();
        assert_eq!((state.located(&body.run), state.reclaim().len(), state.repair().len()), (0, 1, 0));
        let greedy: Vec<_> = kept.run.ids().chain(all()).collect();
        for _ in 0..2 {
            state
                .apply(FinishReclaim {
                    entry,
                    extents: greedy.clone(),
                    last: true,
                    generations: Vec::new(),
                    away: Vec::new(),
                })
                .unwrap();
        }
        assert!(state.reclaim().is_empty());
        assert_eq!(state.located(&kept.run), 1, "what the entry does not name stays");
        assert_eq!(state.disk_extents(), 3);
    }

    /// I29: shards of a deleted extent on an absent disk wait for that disk alone and delay nothing else.
    #[test]
    fn shards_left_on_an_absent_disk_get_an_entry_of_their_own() {
        let state = State::with_bucket();
        let extent = state.put("a", 10).run.first;
        state.delete("a");
        let (entry, _) = state.reclaim()[0];
        let away = vec![DiskNumber(2)];
        let finish = FinishReclaim { entry, extents: vec![extent], last: true, generations: Vec::new(), away };
        state.apply(finish).unwrap();
        assert_eq!((state.extents(), state.disk_extents()), (0, 0));
        let left: Vec<Garbage> = state.reclaim().iter().map(|(_, row)| row.garbage).collect();
        assert_eq!(left, [Garbage::Shard { extent, index: 1, disk: DiskNumber(2) }]);
        let (entry, _) = state.reclaim()[0];
        let finish =
            FinishReclaim { entry, extents: vec![extent], last: true, generations: Vec::new(), away: Vec::new() };
        state.apply(finish).unwrap();
        assert!(state.reclaim().is_empty());
    }

    #[test]
    fn an_uploads_parts_are_removed_with_their_entry() {
        let state = State::with_bucket();
        let upload = state.create_upload("a");
        let bodies: Vec<_> = (1..=3).map(|n| state.put_part("a", upload, n, 10)).collect();
        state.abort("a", upload);
        let (entry, _) = state.reclaim()[0];
        let extents = bodies.iter().flat_map(|b| b.run.ids()).collect();
        state.apply(FinishReclaim { entry, extents, last: true, generations: Vec::new(), away: Vec::new() }).unwrap();
        assert_eq!((state.extents(), state.parts(), state.reclaim().len(), state.disk_extents()), (0, 0, 0, 0));
    }
}
