//! Puts extents together into bodies. The extents of a body have consecutive ids, so they come one after the other.

use cairn_core::descriptor::Descriptor;
use cairn_core::id::{DiskNumber, ExtentId, Generation};
use cairn_core::shard::ShardHeader;
use cairn_protocol::metadata::{ExtentRun, LocatedExtent, PlacedExtent, PlacedRun};

use super::census::SeenExtent;

/// A whole body on the disks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundBody {
    /// That of its first extent.
    pub(crate) descriptor: Descriptor,
    pub(crate) placed: PlacedRun,
}

impl FoundBody {
    /// Its extents, as a reader takes them.
    pub(crate) fn located(&self) -> Vec<LocatedExtent> {
        let run = &self.placed.run;
        let located = run.ids().zip(&self.placed.extents).zip(0u64..).map(|((id, extent), n)| LocatedExtent {
            id,
            offset: n * run.extent_bytes,
            geometry: extent.geometry,
            locations: extent.locations.clone(),
            generation: Generation::default(),
        });
        located.collect()
    }
}

/// What became known with an extent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Assembled {
    /// A body of which every extent can be read.
    Whole(FoundBody),
    /// A part of a body, of which something is missing.
    Broken(Fragment),
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) first: ExtentId,
    /// `None` if it cannot be read.
    pub(crate) descriptor: Option<Descriptor>,
    /// Bytes in its extents, before coding.
    pub(crate) bytes: u64,
    pub(crate) detail: String,
}

/// Takes extents in order and puts them together into bodies.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    open: Option<Open>,
}

/// A body that more extents may belong to.
#[derive(Debug)]
struct Open {
    descriptor: Descriptor,
    first: ExtentId,
    /// Bytes so far.
    bytes: u64,
    extents: Vec<PlacedExtent>,
}

impl Assembly {
    /// Takes the next extent, with the header of one of its shards or the reason why none can be read.
    pub(crate) fn take(&mut self, seen: &SeenExtent, header: Result<ShardHeader, String>) -> Vec<Assembled> {
        let mut out = Vec::new();
        let broken = |descriptor, bytes, detail: String| {
            Assembled::Broken(Fragment { first: seen.id, descriptor, bytes, detail })
        };
        let header = match header {
            Ok(header) => header,
            Err(detail) => {
                out.extend(self.end());
                out.push(broken(None, 0, detail));
                return out;
            }
        };
        let length = header.geometry.length;
        let descriptor: Descriptor = match minicbor::decode(&header.descriptor) {
            Ok(descriptor) => descriptor,
            Err(error) => {
                out.extend(self.end());
                out.push(broken(None, length, format!("its descriptor cannot be read: {error}")));
                return out;
            }
        };
        if !self.open.as_ref().is_some_and(|open| open.continues_with(seen.id, &descriptor)) {
            out.extend(self.end());
        }
        let needed = usize::from(header.geometry.data_shards);
        let found = seen.distinct();
        if found < needed {
            let detail = format!("{found} of its shards exist, {needed} are needed");
            out.extend(self.end());
            out.push(broken(Some(descriptor), length, detail));
            return out;
        }
        let extent = placed(seen, &header);
        match &mut self.open {
            Some(open) => open.add(extent, length),
            None if descriptor.offset == 0 => {
                self.open = Some(Open { descriptor, first: seen.id, bytes: length, extents: vec![extent] });
            }
            None => {
                let detail = format!("the bytes before byte {} are missing", descriptor.offset);
                out.push(broken(Some(descriptor), length, detail));
                return out;
            }
        }
        if self.open.as_ref().is_some_and(|open| open.bytes >= open.descriptor.total_bytes) {
            out.extend(self.end());
        }
        out
    }

    /// Ends the body that is open, if any.
    pub(crate) fn end(&mut self) -> Option<Assembled> {
        let open = self.open.take()?;
        if open.bytes != open.descriptor.total_bytes {
            let detail = format!("{} of its {} bytes exist", open.bytes, open.descriptor.total_bytes);
            let (first, bytes, descriptor) = (open.first, open.bytes, Some(open.descriptor));
            return Some(Assembled::Broken(Fragment { first, descriptor, bytes, detail }));
        }
        let extent_bytes = open.extents.first().map_or(1, |extent| extent.geometry.length);
        let run = ExtentRun { first: open.first, size: open.bytes, extent_bytes };
        Some(Assembled::Whole(FoundBody {
            descriptor: open.descriptor,
            placed: PlacedRun { run, extents: open.extents },
        }))
    }
}

impl Open {
    fn continues_with(&self, id: ExtentId, next: &Descriptor) -> bool {
        let own = &self.descriptor;
        id == self.first.offset(self.extents.len() as u64)
            && next.offset == self.bytes
            && (&next.bucket, &next.key, next.part) == (&own.bucket, &own.key, own.part)
            && next.total_bytes == own.total_bytes
    }

    fn add(&mut self, extent: PlacedExtent, length: u64) {
        self.bytes += length;
        self.extents.push(extent);
    }
}

/// Where the shards of an extent are. If a shard has two copies, the first counts.
fn placed(seen: &SeenExtent, header: &ShardHeader) -> PlacedExtent {
    let mut locations: Vec<Option<DiskNumber>> = vec![None; usize::from(header.geometry.total_shards())];
    for (index, disk) in &seen.shards {
        if let Some(location) = locations.get_mut(usize::from(*index)) {
            location.get_or_insert(*disk);
        }
    }
    PlacedExtent { profile: header.profile, geometry: header.geometry, locations }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cairn_core::geometry::Geometry;
    use cairn_core::id::{ProfileId, SessionId};
    use cairn_core::name::{BucketName, ObjectKey};
    use cairn_core::shard::ShardId;
    use cairn_core::storage_class::StorageClass;

    const TOTAL: u64 = 250;

    fn extent(counter: u64, key: &str, offset: u64, shards: &[u8]) -> (SeenExtent, ShardHeader) {
        let id = ExtentId::new(SessionId(3), counter);
        let descriptor = Descriptor {
            bucket: BucketName::new("photos").unwrap(),
            key: ObjectKey::new(key).unwrap(),
            part: None,
            offset,
            total_bytes: TOTAL,
            written_at_ms: 9,
            headers: Vec::new(),
            storage_class: StorageClass::Standard,
        };
        let length = (TOTAL - offset).min(100);
        let header = ShardHeader {
            id: ShardId { extent: id, index: 0 },
            profile: ProfileId(2),
            geometry: Geometry { data_shards: 2, parity_shards: 1, cell_bytes: 16, length },
            descriptor: descriptor.to_bytes(),
        };
        (SeenExtent { id, shards: shards.iter().map(|n| (*n, DiskNumber(10 + u32::from(*n)))).collect() }, header)
    }

    /// Checks what the extents make: the counter of each first extent, and whether the body is whole.
    fn check(extents: &[(SeenExtent, ShardHeader)], expected: &[(u64, bool)]) -> Vec<Assembled> {
        let mut assembly = Assembly::default();
        let mut out = Vec::new();
        for (seen, header) in extents {
            out.extend(assembly.take(seen, Ok(header.clone())));
        }
        out.extend(assembly.end());
        let found: Vec<(u64, bool)> = out
            .iter()
            .map(|assembled| match assembled {
                Assembled::Whole(body) => (body.placed.run.first.counter, true),
                Assembled::Broken(fragment) => (fragment.first.counter, false),
            })
            .collect();
        assert_eq!(found, expected);
        out
    }

    /// I16: an object is whole if every extent of it can be read, and only then.
    #[test]
    fn bodies_are_whole_only_if_every_extent_can_be_read() {
        let object =
            |from: u64, key: &str| [0, 100, 200].map(|offset| extent(from + offset / 100, key, offset, &[0, 2]));
        let two = [object(1, "a"), object(4, "b")].concat();
        let found = check(&two, &[(1, true), (4, true)]);
        let Assembled::Whole(body) = &found[0] else { panic!("{found:?}") };
        let shape = |e: &LocatedExtent| (e.offset, e.geometry.length, e.locations.clone());
        let locations = vec![Some(DiskNumber(10)), None, Some(DiskNumber(12))];
        let located: Vec<_> = body.located().iter().map(shape).collect();
        assert_eq!(located, [(0, 100, locations.clone()), (100, 100, locations.clone()), (200, 50, locations)]);

        check(&[two[0].clone(), two[1].clone(), two[3].clone()], &[(1, false), (4, false)]);
        check(&two[1..], &[(2, false), (3, false), (4, true)]);
        let mut thin = two.clone();
        thin[1].0.shards.pop();
        check(&thin, &[(1, false), (2, false), (3, false), (4, true)]);
    }

    #[test]
    fn extents_without_a_readable_descriptor_are_listed_as_fragments() {
        let (seen, mut header) = extent(1, "a", 0, &[0, 1]);
        header.descriptor = bytes::Bytes::from_static(b"junk");
        let mut assembly = Assembly::default();
        let junk = assembly.take(&seen, Ok(header));
        let unreadable = assembly.take(&seen, Err("its header is corrupt".to_owned()));
        for out in [junk, unreadable] {
            assert!(matches!(out.as_slice(), [Assembled::Broken(Fragment { descriptor: None, .. })]), "{out:?}");
        }
    }
}
