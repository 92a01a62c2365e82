//! Finds the extents that hold a range of an object's bytes.

use std::ops::Range;

use cairn_protocol::metadata::content::Content;
use cairn_protocol::metadata::query::{LocateExtents, LocatedPage};
use cairn_protocol::metadata::{ExtentRun, LocatedExtent, Rejection};

use crate::error::Refused;
use crate::state::tables::{View, extents, parts};

/// Maximum number of extents that one query reads: 4 GiB of an object in extents of the default size.
pub(crate) const EXTENTS_PER_QUERY_MAX: u32 = 1024;

/// See [`LocateExtents`].
pub(crate) fn locate_extents(view: &View, query: &LocateExtents) -> Result<LocatedPage, Refused> {
    Ok(LocatedPage { extents: locate(view, query.content, query.from..u64::MAX, query.limit)? })
}

/// The extents that hold the bytes of `range`, at most `limit`, in order. Refused with `NoSuchVersion` if they have
/// been deleted since.
pub(super) fn locate(
    view: &View,
    content: Content,
    range: Range<u64>,
    limit: u32,
) -> Result<Vec<LocatedExtent>, Refused> {
    let mut found = Found { view, range, limit: limit.min(EXTENTS_PER_QUERY_MAX) as usize, extents: Vec::new() };
    if found.full() {
        return Ok(found.extents);
    }
    match content {
        Content::Empty => {}
        Content::Run(run) => found.add(run, 0)?,
        Content::Parts(upload) => {
            let table = view.parts()?;
            let first = parts::holding(&table, upload, found.range.start)?;
            for entry in parts::from(&table, upload, first)? {
                let (_, part) = entry?;
                if found.full() || part.offset >= found.range.end {
                    break;
                }
                if let Some(run) = part.run {
                    found.add(run, part.offset)?;
                }
            }
        }
    }
    Ok(found.extents)
}

struct Found<'a> {
    view: &'a View,
    range: Range<u64>,
    limit: usize,
    extents: Vec<LocatedExtent>,
}

impl Found<'_> {
    fn full(&self) -> bool {
        self.extents.len() >= self.limit || self.range.is_empty()
    }

    /// Adds those extents of a run whose first byte is at `base` in the object.
    fn add(&mut self, run: ExtentRun, base: u64) -> Result<(), Refused> {
        if base + run.size <= self.range.start {
            return Ok(());
        }
        let table = self.view.extents()?;
        let skip = self.range.start.saturating_sub(base) / run.extent_bytes.max(1);
        for n in skip..run.count() {
            let offset = base + n * run.extent_bytes;
            if self.full() || offset >= self.range.end {
                break;
            }
            let id = run.first.offset(n);
            let row = extents::get(&table, id)?.ok_or(Rejection::NoSuchVersion)?;
            let (geometry, locations, generation) = (row.geometry, row.locations, row.generation);
            self.extents.push(LocatedExtent { id, offset, geometry, locations, generation });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::commands::testing::State;
    use cairn_core::limits::PART_BYTES_MIN;
    use proptest::prelude::*;

    /// Every extent of the content as (offset, length), found by walking it from the start.
    fn all(state: &State, content: Content) -> Vec<(u64, u64)> {
        spans(&locate(&state.view(), content, 0..u64::MAX, u32::MAX).unwrap())
    }

    fn spans(extents: &[LocatedExtent]) -> Vec<(u64, u64)> {
        extents.iter().map(|e| (e.offset, e.geometry.length)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        /// The search by offset agrees with a full walk, whatever the gaps between part numbers.
        #[test]
        fn any_offset_of_a_multipart_object_is_found(
            numbers in proptest::collection::btree_set(1u64..=10_000, 1..12),
            extra in proptest::collection::vec(0u64..3000, 12),
            last in 0u64..200,
            probes in proptest::collection::vec(any::<u64>(), 40),
        ) {
            let state = State::with_bucket();
            let upload = state.create_upload("a");
            let numbers: Vec<u64> = numbers.into_iter().collect();
            let mut total = 0;
            for (i, number) in numbers.iter().enumerate() {
                let size = if i + 1 == numbers.len() { last } else { PART_BYTES_MIN + extra[i] };
                if size > 0 {
                    state.put_part("a", upload, *number, size);
                } else {
                    state.apply(state.part("a", upload, *number, None)).unwrap();
                }
                total += size;
            }
            state.apply(state.completion("a", upload, &numbers)).unwrap();
            let content = Content::Parts(upload);
            let all = all(&state, content);
            prop_assert_eq!(all.iter().map(|(_, length)| length).sum::<u64>(), total);
            for probe in probes {
                let from = probe % (total + 10);
                let expected: Vec<_> = all.iter().copied().filter(|(offset, length)| offset + length > from).take(3).collect();
                let query = LocateExtents { content, from, limit: 3 };
                prop_assert_eq!(spans(&locate_extents(&state.view(), &query).unwrap().extents), expected, "from {}", from);
            }
        }
    }

    #[test]
    fn a_range_ends_the_search() {
        let state = State::with_bucket();
        let body = state.put("a", 500);
        let content = Content::Run(body.run);
        let found = |range, limit| spans(&locate(&state.view(), content, range, limit).unwrap());
        assert_eq!(found(64..129, 9), [(64, 64), (128, 64)]);
        assert_eq!(found(63..64, 9), [(0, 64)]);
        assert_eq!(found(0..500, 2).len(), 2);
        assert_eq!(found(500..u64::MAX, 9), []);
        assert_eq!(found(0..500, 0), []);
    }
}
